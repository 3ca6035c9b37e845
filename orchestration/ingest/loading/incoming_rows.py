"""Rows on their way from a row file into the raw table, with the pseudonyms of people."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from orchestration.ingest.checking.contract import Contract
from orchestration.ingest.checking.rules import pseudonym
from orchestration.ingest.loading.pseudonyms import Pseudonyms
from orchestration.ingest.reading.row_file import row_schema


def rows_to_load(
    path: Path, contract: Contract, file_id: int, pseudonyms: Pseudonyms
) -> pa.RecordBatchReader:
    """Return the rows of a row file, as they are loaded, from its start to its end.

    Each row has the number of its file, and each identifier its pseudonym beside it
    (``rules.pseudonym``).
    """
    schema = row_schema(contract)
    for column in contract.identifiers:
        schema = schema.append(pa.field(pseudonym(column), pa.string()))
    schema = schema.append(pa.field("_file_id", pa.int32()))

    def batches() -> Iterator[pa.RecordBatch]:
        with pa.memory_map(str(path)) as source, pa.ipc.open_stream(source) as stream:
            for batch in stream:
                made = [
                    pa.array(
                        pseudonyms.of(str(column.identifier), batch[column.name].to_pylist()),
                        pa.string(),
                    )
                    for column in contract.identifiers
                ]
                numbers = pa.array([file_id] * len(batch), pa.int32())
                yield pa.record_batch([*batch.columns, *made, numbers], schema=schema)

    return pa.RecordBatchReader.from_batches(schema, batches())
