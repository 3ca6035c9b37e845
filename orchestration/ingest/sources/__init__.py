"""One folder a source: contract, reader, staging model and sample."""
