"""How much of the machine the reading of one file may take."""

from typing import TYPE_CHECKING

from pydantic import BaseModel, ByteSize, ConfigDict, TypeAdapter

if TYPE_CHECKING:  # the process that reads has no use for it
    import duckdb

_LEAST_MEMORY = 128 << 20
_CPU_SECONDS = 60
_CPU_SECONDS_PER_MEGABYTE = 5
_WAIT_FACTOR = 5
"""How much longer than its processor time a reading may take on a busy machine."""


class ReadingLimits(BaseModel):
    """Memory in bytes beyond what the program itself takes, processor time and time in seconds."""

    model_config = ConfigDict(frozen=True)

    memory: int
    cpu_seconds: int
    seconds: int

    @classmethod
    def of(cls, file_bytes: int, memory: int) -> "ReadingLimits":
        """Return the limits for a file of ``file_bytes``; a larger one may take longer."""
        cpu = _CPU_SECONDS + _CPU_SECONDS_PER_MEGABYTE * (file_bytes >> 20)
        return cls(memory=memory, cpu_seconds=cpu, seconds=_WAIT_FACTOR * cpu)


def reading_memory(connection: "duckdb.DuckDBPyConnection") -> int:
    """Return how much memory the reading of a file may take beside DuckDB, in bytes.

    It is two thirds of DuckDB's limit, which is half of the memory limit in the settings.
    """
    ((limit,),) = connection.execute("select current_setting('memory_limit')").fetchall()
    own = TypeAdapter(ByteSize).validate_python(str(limit).replace(" ", ""))
    return max(_LEAST_MEMORY, own * 2 // 3)
