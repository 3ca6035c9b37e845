"""The audit that everybody may read: verdicts only where the release prints a number as it is."""

from collections import Counter
from typing import Any

import duckdb
import pytest

from orchestration.publish.public_audit import (
    AUDIT,
    NOT_SHOWN,
    PAGE_AUDIT,
    audit_reports,
    compared_with_print,
    page_rows,
)
from orchestration.publish.published_tables import PublishedTable
from orchestration.releases.published_file import open_release
from tests.support import Ground

NAMES = [column.name for column in AUDIT.columns]

EXACT = PublishedTable("reports", "exact", "Exact", "", "", "people", (), protected=True)
ROUNDED = PublishedTable(
    "marts", "rounded", "Rounded", "", "", "people", (), protected=True, rounded_to=5
)

NUMBERS: dict[str, tuple[str | None, str, str, str | None]] = {
    "shown": ("select n from reports.exact where area = 'a'", "12", "reproduced", None),
    "wrong": ("select n + 1 from reports.exact where area = 'a'", "13", "misprint", "13, not 12."),
    "hidden": ("select n from reports.exact where area = 'b'", "3", "reproduced", None),
    "partly": ("select n from reports.exact", "15", "reproduced", None),
    "absent": ("select n from reports.exact where area = 'c'", "4", "reproduced", None),
    "rounded": ("select n from marts.rounded", "10", "reproduced", None),
    "restricted": ("select 7 as n from intermediate.people", "7", "misprint", "7 people."),
    "underived": (None, "", "cannot be derived", "No source has it."),
}


def audit(
    numbers: dict[str, tuple[str | None, str, str, str | None]], quarter: bool = True
) -> dict[str, dict[str, Any]]:
    """Return the audit of a small release, in which area b is hidden, by number."""
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as warehouse; attach ':memory:' as csp")
        connection.execute(
            "create schema warehouse.reports; create table warehouse.reports.reconciliation "
            "(figure_id varchar, place varchar, area varchar, dimension varchar, measure varchar, "
            "period varchar, printed_value varchar, computed_value varchar, verdict varchar, "
            "reason varchar, regenerated_by varchar)"
        )
        for name, (query, value, verdict, reason) in numbers.items():
            said = verdict if quarter else "not checked"
            connection.execute(
                "insert into warehouse.reports.reconciliation values "
                "(?, 'Table 1', 'Fenland', null, 'offenders', '2017/18', '12', ?, ?, ?, ?)",
                [name, value, said, reason, query],
            )
        connection.execute(
            "create schema csp.reports; create schema csp.marts; "
            "create table csp.reports.exact as "
            "select * from (values ('a', 12), ('b', null)) as rows (area, n); "
            "create table csp.marts.rounded as select 10 as n"
        )
        rows = compared_with_print(connection, "warehouse", [EXACT, ROUNDED])
    return {row[0]: dict(zip(NAMES, row, strict=True)) for row in rows}


def test_a_number_has_a_verdict_only_where_an_exact_table_prints_it() -> None:
    found = audit(NUMBERS)
    assert {name: row["verdict"] for name, row in found.items()} == {
        "shown": "reproduced",
        "wrong": "misprint",
        "hidden": "confidential",
        "partly": "confidential",
        "absent": "not in the release",
        "rounded": "rounded",
        "restricted": "not in the release",
        "underived": "cannot be derived",
    }
    assert (found["shown"]["published_value"], found["wrong"]["reason"]) == ("12", "13, not 12.")
    for name in ("hidden", "partly", "absent", "rounded", "restricted"):
        assert found[name]["published_value"] is None and found[name]["query"] is None, name


def test_nothing_of_a_hidden_number_is_in_the_audit() -> None:
    """Whatever is true behind what the release hides, its audit is the same."""
    other = {
        name: (query, "99", "misprint", "99 people, among them one.")
        if name in ("hidden", "partly", "absent", "rounded", "restricted")
        else (query, value, verdict, reason)
        for name, (query, value, verdict, reason) in NUMBERS.items()
    }
    assert audit(other) == audit(NUMBERS)


def test_another_quarter_has_no_audit() -> None:
    assert audit(NUMBERS, quarter=False) == {}


def test_every_number_is_counted_once_on_the_page() -> None:
    rows = [list(row.values()) for row in audit(NUMBERS).values()]
    summary, misprints = page_rows(rows)
    names = [column.name for column in PAGE_AUDIT.columns]
    (place, every) = [dict(zip(names, row, strict=True)) for row in summary]
    assert place == {
        "row_order": 1, "place": "Table 1", "printed": 8, "reproduced": 1, "misprints": 1,
        "revised": 0, "not_derived": 1, "not_compared": 5,
    }  # fmt: skip
    assert every == place | {"row_order": 2, "place": "All"}
    assert [row[-1] for row in misprints] == ["13, not 12."]


def test_pages_have_the_columns_that_they_name() -> None:
    for report in audit_reports():
        assert report.metadata.section == "audit"
        assert {name for _, name in report.metadata.references}


@pytest.fixture(scope="module")
def published(sample: Ground) -> list[dict[str, Any]]:
    with open_release(sample.settings.published / "csp.duckdb") as release:
        cursor = release.execute("select * from main.audit")
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def test_the_release_prints_what_its_audit_calls_reproduced(
    sample: Ground, published: list[dict[str, Any]]
) -> None:
    assert len(published) == 972
    verdicts = Counter(row["verdict"] for row in published)
    assert verdicts["reproduced"] > 200 and verdicts["misprint"] >= 12
    assert verdicts["cannot be derived"] == 11 and not verdicts["unexplained"]
    with open_release(sample.settings.published / "csp.duckdb") as release:
        rounded = {
            f"{schema}.{name}"
            for schema, name in release.execute(
                "select table_schema, table_name from main.published_tables "
                "where rounded_to is not null"
            ).fetchall()
        }
        for row in published:
            if row["query"] is None:
                assert row["published_value"] is None, row
                continue
            assert not release.get_table_names(row["query"], qualified=True) & rounded
            answers = {value for (value,) in release.execute(row["query"]).fetchall()}
            assert None not in answers and answers, row
            if row["verdict"] == "reproduced" and row["printed_value"].isdigit():
                assert {float(value) for value in answers} == {float(row["printed_value"])}


def test_what_the_release_hides_has_no_reason_of_its_own(
    published: list[dict[str, Any]],
) -> None:
    said = {row["reason"] for row in published if row["verdict"] in ("confidential", "rounded")}
    assert said == {"The release shows the number rounded.", "The release hides the number."}
    assert NOT_SHOWN in {row["verdict"] for row in published}
