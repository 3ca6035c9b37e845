"""Publishing: what leaves, what the file holds, and how it is put in place."""

import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.publish import (
    CatalogueError,
    MissingTableError,
    PublishedColumn,
    PublishError,
    Release,
    SchemaMismatchError,
    UnknownOriginError,
    UnsafeTableError,
    VerificationError,
    WrongQuarterError,
    build_release,
    declared_reports,
    published_tables,
)
from orchestration.publish import release_build as release
from orchestration.releases.published_file import open_release
from orchestration.releases.report_metadata import ReportMetadata
from orchestration.warehouse.atomic_file import place_copy
from tests.release_fixtures import (
    CREDITS,
    NOW,
    QUARTER,
    build_warehouse,
    manifest,
    models,
    tables,
)

LATER = date(2018, 7, 1)


def publish(tmp_path: Path, **changes: Any) -> Release:
    """Build the small warehouse with ``changes`` and publish it."""
    quarter = changes.get("quarter", QUARTER)
    warehouse = build_warehouse(tmp_path / "warehouse.duckdb", **changes)
    return build_release(warehouse, tmp_path / "published", quarter, tables(), NOW, credits=CREDITS)


def fetch(path: Path, query: str) -> list[tuple]:
    with open_release(path) as connection:
        return connection.execute(query).fetchall()


def identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_ino, status.st_mtime_ns


# What leaves


def test_catalogue_lists_marked_models_with_their_keys():
    found = tables()
    assert [table.full_name for table in found] == sorted(
        f"{model.schema}.{name}" for name, model in models().items()
    )
    figure = next(table for table in found if table.name == "figure_10_shoplifting")
    assert figure.key == ("area_code", "month")
    assert figure.columns[0] == ("area_code", "varchar", "The area_code.")
    assert "\n" not in figure.description


def test_meta_key_comes_before_a_tested_one():
    found = published_tables(manifest({"dim_month": {"key": ["month_label"]}}))
    assert next(table for table in found if table.name == "dim_month").key == ("month_label",)


@pytest.mark.parametrize("counts", ["people", "", "offenders"])
def test_table_that_counts_people_or_does_not_say_is_refused(tmp_path, counts):
    with pytest.raises(UnsafeTableError, match=r"marts\.dim_area"):
        published_tables(manifest({"dim_area": {"counts": counts}}))
    unsafe = [table.__class__(**{**vars(table), "counts": counts}) for table in tables()]
    warehouse = build_warehouse(tmp_path / "warehouse.duckdb")
    with pytest.raises(UnsafeTableError):
        build_release(warehouse, tmp_path / "published", QUARTER, unsafe, NOW)
    assert not (tmp_path / "published").exists()


@pytest.mark.parametrize("changes", [{"title": ""}, {"key": ["no_such_column"]}])
def test_table_without_title_or_with_a_wrong_key_is_refused(changes):
    with pytest.raises(CatalogueError):
        published_tables(manifest({"dim_area": changes}))


# What the file holds


def test_release_holds_tables_comments_and_descriptions(tmp_path):
    result = publish(tmp_path)
    assert result.changed
    assert result.is_current
    assert result.row_counts["reports.figure_10_shoplifting"] == 160
    bare = fetch(
        result.path,
        "select table_name from duckdb_tables() where comment is null or comment = '' union all "
        "select table_name || '.' || column_name from duckdb_columns() "
        "where not internal and (comment is null or comment = '')",
    )
    assert bare == []
    assert fetch(
        result.path,
        "select comment from duckdb_columns() where schema_name = 'marts' "
        "and table_name = 'dim_area' and column_name = 'area_name'",
    ) == [("The area_name.",)]
    described = fetch(
        result.path,
        "select table_schema, table_name, column_name, data_type from data_dictionary",
    )
    real = fetch(
        result.path,
        "select schema_name, table_name, column_name, data_type from duckdb_columns() "
        "where not internal and database_name = 'csp'",
    )
    assert sorted(described) == sorted(real)
    counted = dict(fetch(result.path, "select table_name, rows from published_tables"))
    assert counted == {name.split(".")[1]: count for name, count in result.row_counts.items()}


@pytest.mark.parametrize(
    ("counts", "name", "note", "shown"),
    [
        ("offences", "2018-06-street.csv", "a note", ("2018-06-street.csv", "a note")),
        ("people", "Zwetschkenbaum.csv", "a note",
         ("police_uk_street_2018-04-01_v1_file_1.csv", None)),
        ("", "Zwetschkenbaum.xlsx", "x", ("police_uk_street_2018-04-01_v1_file_1.xlsx", None)),
        ("offences", "2016-9912399Q.csv", "see 16/991239Q",
         ("police_uk_street_2018-04-01_v1_file_1.csv", None)),
    ],
)  # fmt: skip
def test_a_file_about_people_has_a_neutral_name(tmp_path, counts, name, note, shown):
    warehouse = build_warehouse(tmp_path / "warehouse.duckdb")
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("update control.files set file_name = $1 where file_id = 1", [name])
        connection.execute("update control.deliveries set note = $1 where delivery_id = 1", [note])
    credits = {source: replace(credit, counts=counts) for source, credit in CREDITS.items()}
    result = build_release(
        warehouse, tmp_path / "published", QUARTER, tables(), NOW, credits=credits
    )
    assert fetch(result.path, "select file_name, note from sources") == [shown]
    content = result.path.read_bytes()
    assert b"Zwetschkenbaum" not in content and b"991239" not in content


def test_release_says_what_it_is_and_where_it_came_from(tmp_path):
    result = publish(tmp_path)
    assert fetch(
        result.path,
        "select quarter, quarter_label, built_at, schema_version, synthetic, "
        "synthetic_notice like 'Synthetic data:%' from release",
    ) == [(QUARTER, "Q1 2018/19", NOW.replace(tzinfo=None), 2, True, True)]
    assert fetch(result.path, "from sources") == [
        (
            "police_uk_street", "Street-level recorded crime", "data.police.uk",
            "Open Government Licence v3.0", QUARTER, 1, "synthetic", "a note", date(2018, 5, 1),
            date(2018, 6, 1), "2018-06-street.csv", "ab12", 1234, 99, 1, None,
        )
    ]  # fmt: skip


def test_release_says_up_to_when_the_data_of_each_table_go(tmp_path):
    result = publish(tmp_path)
    found = fetch(
        result.path,
        "select table_name, area_code, data_up_to, note from data_up_to "
        "where area_code like 'E07%10' or area_code like 'E23%' order by all",
    )
    # The last year of Table 5 has no rate, and 2016 ended before the quarter.
    older = "The data end on 31 March 2016, before Q1 2018/19."
    assert found == [
        ("figure_10_shoplifting", "E07000010", date(2018, 6, 30), None),
        ("figure_10_shoplifting", "E23000023", date(2018, 6, 30), None),
        ("figure_11_burglary", "E07000010", date(2018, 6, 30), None),
        ("figure_11_burglary", "E23000023", date(2018, 6, 30), None),
        ("table_5_social_dwellings", "E07000010", date(2016, 3, 31), older),
        ("table_5_social_dwellings", "E23000023", date(2016, 3, 31), older),
    ]
    assert fetch(result.path, "select data_up_to, deliveries_of_quarter from release") == [
        (date(2018, 6, 30), 1)
    ]


def test_delivery_without_a_file_on_record_is_not_published(tmp_path):
    warehouse = build_warehouse(tmp_path / "warehouse.duckdb")
    with duckdb.connect(warehouse) as connection:
        connection.execute("delete from control.files")
    with pytest.raises(UnknownOriginError, match="police_uk_street v1"):
        build_release(warehouse, tmp_path / "published", QUARTER, tables(), NOW)


def test_real_release_carries_no_synthetic_notice(tmp_path):
    result = publish(tmp_path, nature="real")
    assert fetch(result.path, "select synthetic, synthetic_notice from release") == [(False, None)]
    assert not result.synthetic


def test_rows_stand_in_the_order_of_the_key(tmp_path):
    path = publish(tmp_path).path
    rows = fetch(path, "select area_code, month from reports.figure_10_shoplifting")
    assert rows == sorted(rows)


def test_storage_format_is_the_one_that_older_clients_read(tmp_path):
    path = publish(tmp_path).path
    tags = fetch(path, "select tags from duckdb_databases() where database_name = 'csp'")
    assert tags[0][0]["storage_version"].startswith("v1.0.0")
    # Bytes 12 to 19 of a DuckDB file are its storage number; 64 is that of 0.10 and 1.0.
    assert int.from_bytes(path.read_bytes()[12:20], "little") == 64
    assert path.stat().st_mode & 0o222 == 0


def test_missing_table_and_differing_columns_are_reported(tmp_path):
    warehouse = build_warehouse(tmp_path / "warehouse.duckdb")
    wanted = tables()
    area = next(table for table in wanted if table.name == "dim_area")
    fields = vars(area)
    lacking = area.__class__(**{**fields, "name": "dim_street"})
    renamed = area.__class__(**{**fields, "columns": (*area.columns[1:],)})
    retyped = area.__class__(
        **{**fields, "columns": (PublishedColumn("area_code", "int", "x"), *area.columns[1:])}
    )
    for table, error in (
        (lacking, MissingTableError),
        (renamed, SchemaMismatchError),
        (retyped, SchemaMismatchError),
    ):
        with pytest.raises(error, match=r"marts\.dim_"):
            build_release(warehouse, tmp_path / "published", QUARTER, [table], NOW)
    assert list((tmp_path / "published").iterdir()) == []


def test_warehouse_as_at_another_quarter_is_refused(tmp_path):
    warehouse = build_warehouse(tmp_path / "warehouse.duckdb")
    with pytest.raises(WrongQuarterError, match="as at Q1 2018/19"):
        build_release(warehouse, tmp_path / "published", LATER, tables(), NOW)
    with pytest.raises(PublishError, match="no database"):
        build_release(tmp_path / "none.duckdb", tmp_path / "published", QUARTER, tables(), NOW)


# How it is put in place


def test_unchanged_release_is_left_untouched(tmp_path):
    first = publish(tmp_path)
    before = identity(first.path), identity(first.current_path)
    warehouse = build_warehouse(tmp_path / "warehouse.duckdb")
    later = NOW + timedelta(days=1)
    second = build_release(
        warehouse, tmp_path / "published", QUARTER, tables(), later, credits=CREDITS
    )
    assert (second.changed, second.changed_tables, second.current_replaced) == (False, (), False)
    assert second.built_at == first.built_at
    assert second.content_digest == first.content_digest
    assert second.row_counts == first.row_counts
    assert (identity(first.path), identity(first.current_path)) == before


def test_changed_release_names_the_tables_that_changed(tmp_path):
    first = publish(tmp_path)
    inode = first.path.stat().st_ino
    second = publish(tmp_path, extra_offences=1)
    assert second.changed
    assert second.changed_tables == (
        "main.changes", "main.published_tables", "reports.figure_10_shoplifting"
    )  # fmt: skip
    assert second.content_digest != first.content_digest
    assert second.path.stat().st_ino != inode
    assert second.path.samefile(second.current_path)


def test_changed_comment_is_a_change(tmp_path):
    publish(tmp_path)
    noted = published_tables(manifest({"dim_area": {"note": "New note."}}))
    result = build_release(
        tmp_path / "warehouse.duckdb", tmp_path / "published", QUARTER, noted, NOW, credits=CREDITS
    )
    assert result.changed_tables == ("main.published_tables", "marts.dim_area")


def test_current_does_not_go_back_when_an_older_quarter_is_rebuilt(tmp_path):
    publish(tmp_path)
    newest = publish(tmp_path, quarter=LATER)
    before = identity(newest.current_path)
    older = publish(tmp_path, extra_offences=5)
    assert older.changed
    assert not older.current_replaced
    assert not older.is_current
    assert identity(newest.current_path) == before
    assert fetch(newest.current_path, "select quarter from release") == [(LATER,)]


def test_missing_or_damaged_current_file_is_restored(tmp_path):
    result = publish(tmp_path)
    before = identity(result.path)
    result.current_path.unlink()
    second = publish(tmp_path)
    assert (second.changed, second.current_replaced) == (False, True)
    second.current_path.unlink()
    second.current_path.write_bytes(b"not a database")
    assert publish(tmp_path).current_replaced
    assert identity(result.path) == before
    assert fetch(result.current_path, "select quarter from release") == [(QUARTER,)]


def test_missing_current_file_is_restored_from_the_newest_quarter(tmp_path):
    newest = publish(tmp_path, quarter=LATER)
    newest.current_path.unlink()
    older = publish(tmp_path)
    assert older.current_replaced
    assert not older.is_current
    assert fetch(newest.current_path, "select quarter from release") == [(LATER,)]


def test_damaged_release_is_built_again(tmp_path):
    result = publish(tmp_path)
    result.path.unlink()
    result.path.write_bytes(b"\0" * 5000)
    again = publish(tmp_path)
    assert again.changed
    assert fetch(result.path, "select quarter from release") == [(QUARTER,)]


def test_stale_log_beside_the_file_does_not_make_it_unreadable(tmp_path):
    result = publish(tmp_path)
    for path in (result.path, result.current_path):
        path.with_name("csp.duckdb.wal").write_bytes(b"of another file")
    publish(tmp_path, extra_offences=1)
    assert not list((tmp_path / "published").rglob("*.wal"))
    assert fetch(result.current_path, "select quarter from release") == [(QUARTER,)]


def test_failed_checks_leave_what_stood(tmp_path, monkeypatch):
    first = publish(tmp_path)
    before = identity(first.path), identity(first.current_path)
    monkeypatch.setattr(release, "_comment_faults", lambda connection: ["a column has no comment"])
    with pytest.raises(VerificationError, match="no comment"):
        publish(tmp_path, extra_offences=1)
    assert (identity(first.path), identity(first.current_path)) == before
    assert not list((tmp_path / "published").glob(".*"))


def test_leftovers_of_killed_runs_are_removed(tmp_path):
    half = tmp_path / "published" / ".building-abc"
    half.mkdir(parents=True)
    (half / "csp.duckdb").write_bytes(b"half")
    publish(tmp_path)
    assert not list((tmp_path / "published").glob(".*"))


def test_copy_serves_where_links_do_not_work(tmp_path, monkeypatch):
    source = tmp_path / "a"
    source.write_bytes(b"release")

    def refuse(self: Path, target: Path) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    place_copy(source, tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"release"
    assert not (tmp_path / "b").samefile(source)


READER = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
query = "select sum(offences) from csp.reports.figure_10_shoplifting"
print(connection.execute(query).fetchone()[0], flush=True)
for line in sys.stdin:
    print(connection.execute(query).fetchone()[0], flush=True)
"""


def test_reader_in_another_process_keeps_the_old_release(tmp_path):
    result = publish(tmp_path)
    command = [sys.executable, "-c", READER, str(result.current_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as reader:
        assert reader.stdin and reader.stdout
        old = int(reader.stdout.readline())
        publish(tmp_path, extra_offences=100)
        reader.stdin.write("again\n")
        reader.stdin.flush()
        assert int(reader.stdout.readline()) == old
        reader.stdin.close()
    fresh = subprocess.run(command, input="", capture_output=True, text=True, check=True)
    assert int(fresh.stdout) == old + 100
    # In this process too: no connection may show the old file under the same name.
    query = "select sum(offences) from reports.figure_10_shoplifting"
    with duckdb.connect(result.current_path, read_only=True) as held:
        held.execute(query)
        publish(tmp_path, extra_offences=200)
        assert fetch(result.current_path, query) == [(old + 200,)]


def test_a_release_names_only_the_sources_that_its_tables_come_from(tmp_path: Path) -> None:
    warehouse = build_warehouse(tmp_path / "warehouse.duckdb")
    with duckdb.connect(warehouse) as connection:
        connection.execute(
            "insert into control.deliveries select * replace (99 as delivery_id, "
            "'iom_cohort' as source) from control.deliveries limit 1"
        )
        connection.execute(
            "insert into control.files select * replace (99 as file_id, 99 as delivery_id) "
            "from control.files limit 1"
        )
        connection.execute(
            "insert into control.in_force select * replace (99 as delivery_id, "
            "'iom_cohort' as source, 'synthetic' as nature) from control.in_force limit 1"
        )
    named = {}
    for sources in (None, ("police_uk_street",)):
        published = tmp_path / str(sources)
        made = build_release(
            warehouse, published, QUARTER, tables(), NOW, credits=CREDITS, sources=sources
        )
        named[sources] = {source for (source,) in fetch(made.path, "select source from sources")}
    assert named == {
        None: {"police_uk_street", "iom_cohort"},
        ("police_uk_street",): {"police_uk_street"},
    }


def test_a_table_that_is_withheld_keeps_its_columns_and_says_why(tmp_path: Path) -> None:
    name = "reports.figure_10_shoplifting"
    warehouse = build_warehouse(tmp_path / "warehouse.duckdb")

    def publish_again(state: str) -> Path:
        with duckdb.connect(warehouse) as connection:
            connection.execute(state)
        return build_release(
            warehouse, tmp_path / "published", QUARTER, tables(), NOW, credits=CREDITS,
            reports=declared_reports(manifest()),
        ).path  # fmt: skip

    shown = fetch(publish_again("select 1"), f"select count(*) from {name}")
    path = publish_again(
        f"insert into control.withheld_tables values ('2018-04-01', '{name}', 'a reason'); "
        f"create table kept as from {name}; delete from {name}"
    )
    assert fetch(path, f"select count(*) from {name}") == [(0,)]
    ((note,),) = fetch(
        path, "select note from main.published_tables where table_name = 'figure_10_shoplifting'"
    )
    assert "a reason" in note
    ((told,),) = fetch(
        path,
        "select metadata from main.report_metadata where table_name = 'figure_10_shoplifting'",
    )
    metadata = ReportMetadata.model_validate_json(told)
    assert metadata.withheld
    assert "a reason" in metadata.absent_because
    changes = "select count(*) from main.changes where table_name = 'figure_10_shoplifting'"
    assert fetch(path, changes) == [(0,)]
    back = publish_again(f"delete from control.withheld_tables; insert into {name} from kept")
    assert fetch(back, f"select count(*) from {name}") == shown
    assert fetch(back, changes) == [(0,)]


@pytest.mark.parametrize(("counts", "shown"), [("people", False), ("offences", True)])
def test_nothing_of_a_file_about_people_tells_its_content(
    tmp_path: Path, counts: str, shown: bool
) -> None:
    warehouse = build_warehouse(tmp_path / "warehouse.duckdb")
    credits = {name: replace(credit, counts=counts) for name, credit in CREDITS.items()}
    path = build_release(
        warehouse, tmp_path / "published", QUARTER, tables(), NOW, credits=credits
    ).path
    rows = fetch(path, "select sha256, bytes, rows_loaded, rows_refused from main.sources")
    assert rows
    assert all((value is not None) == shown for row in rows for value in row)
