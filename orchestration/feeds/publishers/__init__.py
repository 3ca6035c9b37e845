"""One module for each kind of publisher: where its releases are listed and how a file is read."""
