"""Every setting of the warehouse, in one place.

Each may be given as an environment variable with the prefix ``CSP_``. Nothing is read when this
module is imported; :func:`load_settings` reads the environment once, at the edge.
"""

from datetime import date
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import (
    ByteSize,
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from orchestration.config.key_strength import weakness
from orchestration.config.quarters import parse_quarter
from orchestration.errors import CspError, SettingsError

CONFIG = Path(__file__).resolve().parent
PROJECT = CONFIG.parents[1]
SMTPS_PORT = 465
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_LEAST_MEMORY = 256 << 20
POSTGRES = "postgres:"
"""Start of the address of a lake's catalogue."""
S3 = "s3://"
"""Start of the address of a lake's data in an object store."""


class Settings(BaseSettings):
    """Where things are, and how much of the machine to use."""

    model_config = SettingsConfigDict(env_prefix="CSP_", frozen=True, extra="ignore")

    home: Path = Field(PROJECT / "var", description="Folder of all generated files.")
    raw: Path = Field(PROJECT / "raw", description="The landing zone.")
    texts: Path | None = Field(
        None,
        description="Folder of the analysts' texts; without it, texts beside the landing zone.",
    )
    partnerships: Path = Field(
        CONFIG / "partnerships.toml",
        description="File that lists the partnerships served.",
    )
    corrections: Path = Field(
        CONFIG / "corrections.toml",
        description="File of known errors and their corrections.",
    )
    memory_limit: ByteSize = Field(
        ByteSize(2 << 30), description="Most memory that a refresh may use, such as 1200MB."
    )
    threads: int = Field(2, ge=1, description="DuckDB's threads.")
    first_quarter: date = Field(
        date(2011, 1, 1), description="First quarter that can be refreshed."
    )
    days_after_quarter: int = Field(
        15, ge=0, le=27, description="Days after a quarter's end at which the schedule runs."
    )
    lock_wait_seconds: float = Field(
        0, ge=0, description="How long to wait while another refresh is writing."
    )
    warehouse_key: SecretStr | None = Field(
        None, description="Key with which the warehouse is encrypted at rest."
    )
    pseudonym_key: SecretStr | None = Field(
        None,
        description="Key of the pseudonyms; without it, a file under the home.",
    )

    store: Literal["file", "lake"] = Field(
        "file",
        description="Where the warehouse is: a DuckDB file under the home, or a DuckLake.",
    )
    lake_catalogue: SecretStr | None = Field(
        None,
        description="PostgreSQL database with the lake's catalogue, such as "
        "postgres:dbname=lake host=db user=csp.",
    )
    lake_data: str | None = Field(
        None, description="Folder or s3:// address of the lake's Parquet files."
    )
    lake_s3_endpoint: str | None = Field(
        None,
        description="Address of an object store other than Amazon's; https, or http on this "
        "machine.",
    )
    lake_s3_region: str = Field("eu-west-2", description="Region of the object store.")
    lake_s3_key_id: str | None = Field(None, description="Name of the object store's access key.")
    lake_s3_secret: SecretStr | None = Field(None, description="The object store's access key.")

    rounded_tables: bool = Field(
        True,
        description="Publish tables of people whose counts are rounded; if not, withhold them.",
    )

    profile: Literal["development", "production"] = Field(
        "development",
        description="In production nothing falls back to a default place, and the schedule, the "
        "landing-zone sensor and the alerts are on.",
    )
    run_lock_wait_seconds: float = Field(
        900,
        ge=0,
        description="How long a run of the Dagster UI waits for another; others three times that.",
    )
    quiet_seconds: float = Field(
        120,
        ge=0,
        description="How long a delivery must be unchanged before the sensor takes it up.",
    )
    alert_webhook: SecretStr | None = Field(
        None,
        description="Address to which alerts are posted as JSON; https, or http on this machine.",
    )
    smtp_host: str | None = Field(None, description="Mail server for alerts.")
    smtp_port: int = Field(25, ge=1, le=65535, description="Port of the mail server.")
    smtp_starttls: bool = Field(
        False,
        description="Encrypt the connection to the mail server; port 465 is encrypted without it.",
    )
    smtp_user: str | None = Field(None, description="User name at the mail server.")
    smtp_password: SecretStr | None = Field(None, description="Password at the mail server.")
    smtp_from: str | None = Field(None, description="Sender of the alerts.")
    smtp_to: str | None = Field(None, description="Recipients of the alerts, with commas between.")

    feeds: str | None = Field(
        None,
        description="Sources that the schedule fetches from their publishers each day, with "
        "commas between; none if not set. `csp fetch` needs no setting.",
    )
    feed_mirror: Path | None = Field(
        None,
        description="Folder with the publishers' files, <host>/<path>, read instead of the "
        "network.",
    )

    ui_hosts: str | None = Field(
        None,
        description="Names under which a proxy serves the Dagster UI, with commas between. A "
        "request under any other name than these and localhost is refused.",
    )

    @field_validator("home", "raw", "texts", "partnerships", "corrections", "feed_mirror")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return path.expanduser().absolute() if path else None

    @field_validator("first_quarter", mode="before")
    @classmethod
    def _quarter(cls, value: object) -> object:
        return parse_quarter(value) if isinstance(value, str) else value

    @field_validator("warehouse_key", "pseudonym_key")
    @classmethod
    def _strong(cls, value: SecretStr | None) -> SecretStr | None:
        if value and (why := weakness(value.get_secret_value())):
            raise ValueError(
                f"the key is weak: {why}. Make one: python -c 'import secrets; "
                "print(secrets.token_hex(32))'"
            )
        return value

    @field_validator("alert_webhook")
    @classmethod
    def _web_address(cls, value: SecretStr | None) -> SecretStr | None:
        if value:
            _check_web_address(value.get_secret_value())
        return value

    @field_validator("lake_catalogue")
    @classmethod
    def _catalogue(cls, value: SecretStr | None) -> SecretStr | None:
        if value:
            _check_catalogue(value.get_secret_value())
        return value

    @field_validator("lake_data")
    @classmethod
    def _data_place(cls, value: str | None) -> str | None:
        if value is None or value.startswith(S3):
            return value
        if "://" in value:
            raise ValueError("it is neither a folder nor an s3:// address")
        return str(Path(value).expanduser().absolute())

    @field_validator("lake_s3_endpoint")
    @classmethod
    def _endpoint(cls, value: str | None) -> str | None:
        if value:
            _check_web_address(value)
        return value

    @field_validator("smtp_host", "smtp_from", "smtp_to")
    @classmethod
    def _one_line(cls, value: str | None) -> str | None:
        if value is not None and not value.isprintable():
            raise ValueError("it holds a line break or another control character")
        return value

    @field_validator("memory_limit", mode="before")
    @classmethod
    def _enough_memory(cls, value: object) -> ByteSize:
        try:
            size = TypeAdapter(ByteSize).validate_python(value)
        except ValidationError as error:
            raise ValueError(f"'{value}' is not an amount of memory; write it as 2GiB") from error
        if size < _LEAST_MEMORY:
            raise ValueError(f"'{value}' is too little for a refresh; give at least 256MiB")
        return size

    @model_validator(mode="after")
    def _whole(self) -> "Settings":
        if self.smtp_host and not (self.smtp_from and self.smtp_to):
            raise ValueError("CSP_SMTP_HOST needs CSP_SMTP_FROM and CSP_SMTP_TO beside it")
        if self.smtp_password and not self.mail_is_encrypted:
            raise ValueError(
                "CSP_SMTP_PASSWORD would be sent unencrypted: set CSP_SMTP_STARTTLS=true, or "
                "CSP_SMTP_PORT=465"
            )
        if self.store == "lake" and not self.has_lake:
            raise ValueError("CSP_STORE=lake needs CSP_LAKE_CATALOGUE and CSP_LAKE_DATA beside it")
        if self.profile == "production":
            self._refuse_default_places()
        return self

    def _refuse_default_places(self) -> None:
        """In production a forgotten variable must not send people's data to a default place."""
        if missing := [name for name in ("home", "raw") if name not in self.model_fields_set]:
            names = " and ".join(f"CSP_{name.upper()}" for name in missing)
            raise ValueError(f"CSP_PROFILE=production needs {names} to be set")
        for name, path in (("CSP_HOME", self.home), ("CSP_RAW", self.raw)):
            if path.is_relative_to(PROJECT):
                raise ValueError(f"in production {name} may not lie in the program's own folder")

    @property
    def in_production(self) -> bool:
        """Whether the warehouse runs unattended, on real deliveries."""
        return self.profile == "production"

    @property
    def engine_memory(self) -> str:
        """DuckDB's share of the memory limit, as DuckDB expects it.

        A quarter is left to Python, dbt, and DuckDB's memory outside its buffers.
        """
        return f"{self.memory_limit * 3 // 4 >> 20}MiB"

    @property
    def ui_names(self) -> frozenset[str]:
        """Names under which the Dagster UI answers, in lower case."""
        given = {name.strip().lower() for name in (self.ui_hosts or "").split(",")} - {""}
        return LOOPBACK_NAMES | given

    @property
    def feed_names(self) -> list[str]:
        """Sources that are switched on to be fetched, each once."""
        names = (name.strip() for name in (self.feeds or "").split(","))
        return list(dict.fromkeys(name for name in names if name))

    @property
    def mail_is_encrypted(self) -> bool:
        """Whether the connection to the mail server is encrypted before anything is sent."""
        return self.smtp_starttls or self.smtp_port == SMTPS_PORT

    @property
    def alerts_by_mail(self) -> bool:
        """Whether alerts are sent by mail."""
        return self.smtp_host is not None

    @property
    def alerts(self) -> bool:
        """Whether any way of alerting people is configured."""
        return self.alerts_by_mail or self.alert_webhook is not None

    @property
    def texts_folder(self) -> Path:
        """Folder of the analysts' texts, which may not exist."""
        return self.texts or self.raw.parent / "texts"

    @property
    def backups(self) -> Path:
        """Folder of the backups that ``csp backup`` makes where no file is named."""
        return self.home / "backups"

    @property
    def warehouse(self) -> Path:
        """The restricted database."""
        return self.home / "warehouse.duckdb"

    @property
    def on_lake(self) -> bool:
        """Whether the warehouse is a DuckLake instead of the file."""
        return self.store == "lake"

    @property
    def has_lake(self) -> bool:
        """Whether the addresses of a lake are given, used or not."""
        return self.lake_catalogue is not None and self.lake_data is not None

    @property
    def pseudonym_key_file(self) -> Path:
        """The owner's file with the key of the pseudonyms, where no setting gives it."""
        return self.home / "pseudonym.key"

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
        faults = "; ".join(_fault(fault["loc"], fault["msg"]) for fault in error.errors())
        raise SettingsError(f"A setting cannot be used: {faults}") from error
    except CspError as error:
        raise SettingsError(f"A setting cannot be used: {error}") from error


def _check_web_address(address: str) -> None:
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError("it is not a web address") from error
    if parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK_NAMES):
        raise ValueError("it does not start with https://")
    if not host or not address.isprintable() or " " in address:
        raise ValueError("it is not a web address")
    if parts.username is not None:
        raise ValueError("it holds a user name or password before the host")


def _check_catalogue(address: str) -> None:
    """Refuse what is no address of a PostgreSQL database; the message does not quote it."""
    if not address.startswith(POSTGRES) or not address.isprintable():
        raise ValueError("it does not start with postgres:")
    said = address.removeprefix(POSTGRES)
    if "://" in said or "dbname=" not in said:
        raise ValueError("it does not name a database as in postgres:dbname=lake host=db user=csp")


def _fault(place: tuple[int | str, ...], message: str) -> str:
    words = message.removeprefix("Value error, ")
    return f"CSP_{'_'.join(str(part) for part in place).upper()}: {words}" if place else words
