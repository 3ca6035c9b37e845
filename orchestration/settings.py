"""Every setting of the warehouse, in one place.

Each may be given as an environment variable with the prefix ``CSP_``. Nothing is read when this
module is imported; :func:`load_settings` reads the environment once, at the edge.
"""

from datetime import date
from pathlib import Path

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from orchestration.errors import CspError, SettingsError
from orchestration.quarters import parse_quarter

PACKAGE = Path(__file__).resolve().parent
PROJECT = PACKAGE.parent


class Settings(BaseSettings):
    """Where things are, and how much of the machine to use."""

    model_config = SettingsConfigDict(env_prefix="CSP_", frozen=True, extra="ignore")

    home: Path = Field(PROJECT / "var", description="Folder of everything generated.")
    raw: Path = Field(PROJECT / "raw", description="The landing zone.")
    partnerships: Path = Field(
        PACKAGE / "partnerships.toml", description="File that lists the partnerships served."
    )
    corrections: Path = Field(
        PACKAGE / "corrections.toml", description="File of known errors and their corrections."
    )
    memory_limit: str = Field(
        "2GiB", description="Most memory that the database engine may take, such as 1200MB."
    )
    threads: int = Field(2, ge=1, description="Threads of the database engine.")
    first_quarter: date = Field(
        date(2011, 1, 1), description="First quarter that can be refreshed."
    )
    days_after_quarter: int = Field(
        15, ge=0, le=27, description="Days after a quarter's end at which the schedule runs."
    )
    lock_wait_seconds: float = Field(
        0, ge=0, description="How long to wait while another refresh is writing."
    )

    @field_validator("home", "raw", "partnerships", "corrections")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        return path.expanduser().absolute()

    @field_validator("first_quarter", mode="before")
    @classmethod
    def _quarter(cls, value: object) -> object:
        return parse_quarter(value) if isinstance(value, str) else value

    @property
    def warehouse(self) -> Path:
        """The restricted database."""
        return self.home / "warehouse.duckdb"

    @property
    def published(self) -> Path:
        """Folder of the published, read-only databases."""
        return self.home / "published"

    @property
    def exports(self) -> Path:
        """Folder of the exported tables, charts and workbooks."""
        return self.home / "exports"

    @property
    def supplier_reports(self) -> Path:
        """Folder of the error reports for suppliers, by source, quarter and version."""
        return self.home / "supplier_reports"

    @property
    def dagster_home(self) -> Path:
        """Dagster's run storage and configuration."""
        return self.home / "dagster"

    @property
    def dbt_state(self) -> Path:
        """dbt's parsed manifest, compiled SQL and logs."""
        return self.home / "dbt"


def load_settings() -> Settings:
    """Read the settings from the environment.

    Raises :class:`SettingsError` that names each unusable variable.
    """
    try:
        return Settings()
    except ValidationError as error:
        faults = "; ".join(
            f"CSP_{'_'.join(str(part) for part in fault['loc']).upper()}: {fault['msg']}"
            for fault in error.errors()
        )
        raise SettingsError(f"A setting cannot be used: {faults}") from error
    except CspError as error:
        raise SettingsError(f"A setting cannot be used: {error}") from error
