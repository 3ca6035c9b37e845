"""``csp contracts``: each source's dbt YAML, written from its contract."""

from orchestration.errors import ContractError
from orchestration.ingest.checking import dbt_source
from orchestration.ingest.checking.contract import load_contracts


def check_sources() -> str:
    """Say how many dbt sources agree with their contracts.

    Raises :class:`ContractError` where one does not.
    """
    contracts = load_contracts()
    if outdated := dbt_source.outdated_sources(contracts):
        raise ContractError(
            f"Not as their contracts say: {', '.join(outdated)}. Run `csp contracts`."
        )
    return f"{len(contracts)} sources agree with their contracts."


def write_sources() -> str:
    """Write every dbt source that is not as its contract says; return which."""
    written = dbt_source.write_sources(load_contracts())
    return f"Written: {', '.join(written)}." if written else "Nothing to write."
