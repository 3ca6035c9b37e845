"""Versions, as at, and the balance of rows: what the load promises beside refusing bad files."""

import shutil
from datetime import date

import duckdb
import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from orchestration.errors import LandingError, OutdatedWarehouseError
from orchestration.ingest.landing.handover import land
from orchestration.ingest.landing.receipt import Receipt
from orchestration.warehouse.connection import connect
from tests.support import NOW, STREET_HEADER, Ground, month_file, street_file, street_row

NAME = "2018-04-cambridgeshire-street.csv"


def _in_force(ground: Ground, as_at: str) -> list[tuple[str, int, str]]:
    ground.resolve(as_at)
    return ground.query(
        "select strftime(period, '%Y-%m'), version, strftime(quarter, '%Y-%m-%d') "
        "from control.in_force where source = 'police_uk_street' order by period"
    )


def test_same_bytes_are_no_new_version(ground: Ground) -> None:
    folder = ground.put("police_uk_street", "2018-04-01", {NAME: month_file()})
    ground.load("police_uk_street")
    (folder / NAME).touch()
    (folder / NAME).rename(folder / "renamed.csv")
    report = ground.load("police_uk_street")
    assert (report.outcomes, report.unchanged) == ([], 1)
    assert ground.value("select count(*) from control.deliveries") == 1


def test_changed_bytes_are_the_next_version_and_the_old_rows_stay(ground: Ground) -> None:
    ground.put("police_uk_street", "2018-04-01", {NAME: month_file(rows=10)})
    ground.load("police_uk_street")
    ground.put("police_uk_street", "2018-04-01", {NAME: month_file(rows=7)})
    ground.load("police_uk_street")
    assert ground.query(
        "select version, count(*) from raw.police_uk_street inner join control.deliveries "
        "on delivery_id = _delivery_id group by version order by version"
    ) == [(1, 10), (2, 7)]
    assert _in_force(ground, "2018-04-01") == [("2018-04", 2, "2018-04-01")]


def test_later_quarter_speaks_for_a_month_that_it_repeats(ground: Ground) -> None:
    ground.put("police_uk_street", "2018-04-01", {NAME: month_file("2018-04")})
    ground.put(
        "police_uk_street",
        "2018-07-01",
        {"old.csv": month_file("2018-04", 8), "new.csv": month_file("2018-07")},
    )
    ground.load("police_uk_street", "2018-07-01")
    assert _in_force(ground, "2018-04-01") == [("2018-04", 1, "2018-04-01")]
    assert _in_force(ground, "2018-07-01") == [
        ("2018-04", 1, "2018-07-01"),
        ("2018-07", 1, "2018-07-01"),
    ]


def test_a_period_after_the_quarter_waits(ground: Ground) -> None:
    ground.put(
        "police_uk_street",
        "2018-04-01",
        {"a.csv": month_file("2018-04"), "b.csv": month_file("2018-07")},
    )
    ground.load("police_uk_street")
    assert [month for month, *_ in _in_force(ground, "2018-04-01")] == ["2018-04"]
    assert [month for month, *_ in _in_force(ground, "2018-07-01")] == ["2018-04", "2018-07"]


def test_a_refresh_does_not_see_later_quarters(ground: Ground) -> None:
    ground.put("police_uk_street", "2018-07-01", {NAME: month_file("2018-07")})
    assert ground.load("police_uk_street", "2018-04-01").outcomes == []


def test_removed_files_leave_the_loaded_rows(ground: Ground) -> None:
    folder = ground.put("police_uk_street", "2018-04-01", {NAME: month_file()})
    ground.load("police_uk_street")
    shutil.rmtree(folder)
    assert ground.load("police_uk_street").outcomes == []
    assert ground.value("select count(*) from raw.police_uk_street") == 10


def test_identical_incidents_are_all_kept(ground: Ground) -> None:
    row = street_row(crime_type="Anti-social behaviour")
    ground.put("police_uk_street", "2018-04-01", {NAME: street_file([row] * 5)})
    ground.load("police_uk_street")
    assert ground.value("select count(*) from raw.police_uk_street") == 5


@pytest.mark.parametrize("blank", ["\r\n", "\r\n\r\n"])
def test_blank_lines_are_not_rows(ground: Ground, blank: str) -> None:
    ground.put("police_uk_street", "2018-04-01", {NAME: month_file() + blank})
    (outcome,) = ground.load("police_uk_street").outcomes
    assert (outcome.state, outcome.rows_delivered, outcome.rows_loaded) == ("loaded", 10, 10)


def test_blank_lines_below_the_header_are_no_rows(ground: Ground) -> None:
    ground.put("police_uk_street", "2018-04-01", {NAME: STREET_HEADER + "\r\n\r\n"})
    (outcome,) = ground.load("police_uk_street").outcomes
    assert outcome.state == "refused"
    assert "nothing below" in str(outcome.reason)


def test_a_faulty_line_that_ends_otherwise_is_named(ground: Ground) -> None:
    """DuckDB stops at a short line with another line break, and does not say at which."""
    lines = month_file().split("\r\n")
    lines[4] = "half a row,2018-04\n" + lines[5]
    del lines[5]
    ground.put("police_uk_street", "2018-04-01", {NAME: "\r\n".join(lines)})
    (outcome,) = ground.load("police_uk_street").outcomes
    assert outcome.state == "refused"
    assert "line 5: The file cannot be read as a table" in str(outcome.reason)


@pytest.mark.parametrize("beyond", [1, 40, 150])
def test_a_last_line_over_the_end_of_a_chunk_is_whole(ground: Ground, beyond: int) -> None:
    row = len(street_row()) + 2
    count, filler = divmod((1 << 20) + beyond + 2 - len(STREET_HEADER) - 2, row)
    rows = [street_row(number=number) for number in range(1, count + 1)]
    rows[0] = street_row(location="On or near Synthetic Street" + "x" * filler)
    text = street_file(rows).removesuffix("\r\n")
    assert len(text) == (1 << 20) + beyond
    ground.put("police_uk_street", "2018-04-01", {NAME: text})
    (outcome,) = ground.load("police_uk_street").outcomes
    assert (outcome.state, outcome.rows_loaded) == ("loaded", count)


def test_files_that_are_not_named_after_a_quarter_are_reported(ground: Ground) -> None:
    ground.put("police_uk_street", "2018-05-01", {NAME: month_file()})
    with pytest.raises(LandingError, match="2018-05-01"):
        ground.load("police_uk_street")


def _receipt(quarter: str = "2018-04-01") -> Receipt:
    return Receipt(
        source="police_uk_street",
        quarter=date.fromisoformat(quarter),
        received_at=NOW,
        nature="synthetic",
        note="made for a test",
    )


def test_landing_copies_with_receipt_and_keeps_what_it_replaces(
    ground: Ground, tmp_path_factory: pytest.TempPathFactory
) -> None:
    desk = tmp_path_factory.mktemp("desk")
    contract = ground.contract("police_uk_street")
    quarter = date(2018, 4, 1)

    def deliver(content: str) -> bool:
        (desk / NAME).write_bytes(content.encode())
        paths = [desk / NAME]
        return land(
            ground.settings.raw, contract, quarter, paths, _receipt(), replace=True
        ).unchanged

    assert not deliver(month_file(rows=3))
    assert deliver(month_file(rows=3))
    assert not deliver(month_file(rows=4))
    source = ground.settings.raw / "police_uk_street"
    assert (source / "2018-04-01" / NAME).read_bytes() == month_file(rows=4).encode()
    (kept,) = (source / ".superseded").iterdir()
    assert (kept / NAME).read_bytes() == month_file(rows=3).encode()
    ground.load("police_uk_street")
    assert ground.query("select nature, note, received_at from control.deliveries") == [
        ("synthetic", "made for a test", NOW)
    ]


@pytest.mark.parametrize("name", ["missing.csv", "wrong.txt"])
def test_landing_refuses_what_cannot_be_a_delivery(
    ground: Ground, tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    path = tmp_path_factory.mktemp("desk") / name
    if name == "wrong.txt":
        path.write_text("hello")
    with pytest.raises(LandingError, match=name):
        land(
            ground.settings.raw,
            ground.contract("police_uk_street"),
            date(2018, 4, 1),
            [path],
            _receipt(),
        )
    assert not (ground.settings.raw / "police_uk_street" / "2018-04-01").exists()


_fields = st.sampled_from(["Shoplifting", "Burglary", "Jaywalking", "", 'a "b"', "x,y"])


@hypothesis_settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    types=st.lists(_fields, min_size=1, max_size=30),
    short=st.sets(st.integers(0, 29), max_size=4),
    end=st.sampled_from(["\n", "\r\n"]),
    last_end=st.booleans(),
)
def test_rows_delivered_are_rows_loaded_plus_rows_refused(
    tmp_path_factory: pytest.TempPathFactory,
    types: list[str],
    short: set[int],
    end: str,
    last_end: bool,
) -> None:
    """Whatever a file holds, each of its lines is loaded or refused, and counted once."""
    from orchestration.config.settings import Settings

    folder = tmp_path_factory.mktemp("balance")
    ground = Ground(Settings(home=folder / "var", raw=folder / "raw"))
    quoted = ['"' + one.replace('"', '""') + '"' if '"' in one or "," in one else one
              for one in types]  # fmt: skip
    rows = [
        "short,line" if place in short else street_row(crime_type=one, number=place)
        for place, one in enumerate(quoted)
    ]
    content = street_file(rows, end=end)
    ground.put(
        "police_uk_street", "2018-04-01", {NAME: content if last_end else content[: -len(end)]}
    )
    (outcome,) = ground.load("police_uk_street").outcomes
    assert outcome.rows_delivered == outcome.rows_loaded + outcome.rows_refused
    (loaded,) = ground.query("select count(*) from raw.police_uk_street")
    assert loaded == (outcome.rows_loaded,)
    good = sum(
        one in {"Shoplifting", "Burglary"} and place not in short for place, one in enumerate(types)
    )
    if outcome.state == "loaded":
        assert outcome.rows_delivered == len(rows)
        assert outcome.rows_loaded == good
    else:
        assert good < len(rows)
        assert outcome.rows_loaded == 0


_QUARTERS = ("2018-04-01", "2018-07-01", "2018-10-01")


def _delivered(kind: str, quarter: str) -> dict[str, str | bytes]:
    """Return files of a quarter, faulty in one way each; ``copy`` is the same in every quarter."""
    month = quarter[:7]
    odd = {"few wrong": street_row(month, "Shouting"), "few short": "short,line"}.get(kind)
    rows = [street_row(month, number=number) for number in range(150 if odd else 10)]
    good = street_file([*rows, odd] if odd else rows)
    files: dict[str, dict[str, str | bytes]] = {
        "copy": {"a.csv": month_file()},
        "twice": {"a.csv": good, "b.csv": month_file(month, 3)},
        "wrong": {"a.csv": good + street_row(month, "Shouting") + "\r\n"},
        "no header": {"a.csv": good.partition("\r\n")[2]},
    }
    return files.get(kind, {"a.csv": good})


@pytest.mark.slow
@hypothesis_settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example(["few wrong", "few short", "twice"])
@example(["wrong", "good", "few wrong"])
@given(
    st.lists(
        st.sampled_from(["good", "few wrong", "few short", "wrong", "twice", "copy", "no header"]),
        min_size=2,
        max_size=3,
    )
)
def test_deliveries_loaded_together_fare_as_one_by_one(
    tmp_path_factory: pytest.TempPathFactory, kinds: list[str]
) -> None:
    """One statement loads and records them all; each is judged by itself all the same."""
    from orchestration.config.settings import Settings

    folder = tmp_path_factory.mktemp("together")
    quarters = _QUARTERS[: len(kinds)]
    together, apart = (
        Ground(Settings(home=folder / way, raw=folder / "raw")) for way in ("together", "apart")
    )
    for quarter, kind in zip(quarters, kinds, strict=True):
        together.put("police_uk_street", quarter, _delivered(kind, quarter))
    recorded = []
    for ground, loads in ((together, quarters[-1:]), (apart, quarters)):
        for quarter in loads:
            ground.load("police_uk_street", quarter)
        recorded.append(
            {
                table: ground.query(f"select * from {table} order by all")
                for table in (
                    "control.deliveries", "control.files", "control.landing_index",
                    "control.coverage", "quarantine.refused_rows", "raw.police_uk_street",
                )
            }
        )  # fmt: skip
    assert recorded[0] == recorded[1]
    assert len(recorded[0]["control.deliveries"]) == len(kinds)


def test_several_wrong_cells_of_one_sheet_line_are_each_counted(ground: Ground) -> None:
    """A workbook row gives many rows; each that is refused counts, and nothing is called lost."""
    import xlwt

    folder = ground.put("population_estimates", "2018-04-01", {"x.xls": b""})
    book = xlwt.Workbook()
    sheet = book.add_sheet("MYE 5")
    titles = ["Code", "Name", "Estimated Population mid-2016", "Estimated Population mid-2015"]
    for place, value in enumerate(titles):
        sheet.write(0, place, value)
    for place, value in enumerate(["E07000010", "Fenland", "many", "more"]):
        sheet.write(1, place, value)
    book.save(str(folder / "x.xls"))
    (outcome,) = ground.load("population_estimates").outcomes
    assert (outcome.rows_delivered, outcome.rows_refused) == (2, 2)
    assert {fault.rule for fault in outcome.faults} == {"is a number", "few rows are wrong"}


def test_a_warehouse_of_an_earlier_contract_is_reported(ground: Ground):
    ground.put("police_uk_street", "2018-04-01", {NAME: month_file()})
    ground.load("police_uk_street")
    with connect(ground.settings) as connection:
        connection.execute("drop view in_force.police_uk_street")
        connection.execute("drop view raw.police_uk_street_lines")
        connection.execute("alter table raw.police_uk_street drop column context")
    with pytest.raises(
        OutdatedWarehouseError, match=r"police_uk_street \(differing columns: context\).*rebuilt"
    ):
        ground.load("police_uk_street")


@pytest.mark.parametrize(
    "written",
    ["0.5", " 0.5", "0.5 ", "+0.5", ".5", "5e-1", "1_0.5e-1", '"0.5"', '" 0.5 "', '""',
     "nan", "inf", "0x1", "1;5", '"0,5"', "\u00b2", "0.5a", "-9", "-9.0001", "1e400"],
)  # fmt: skip
def test_a_number_is_read_as_the_engine_casts_its_text(ground: Ground, written: str) -> None:
    """The reader may turn text into numbers by itself: the same are numbers, the same are not."""
    rows = [street_row(number=number) for number in range(1, 1001)]
    rows.append(street_row(number=1001, longitude=written))
    ground.put("police_uk_street", "2018-04-01", {NAME: street_file(rows)})
    (outcome,) = ground.load("police_uk_street").outcomes
    text = written.strip('"') or None
    ((number, within),) = duckdb.execute(
        "select try_cast($1 as double), try_cast($1 as double) between -9 and 3", [text]
    ).fetchall()
    good = text is None or within is True
    assert (outcome.rows_loaded, outcome.rows_refused) == ((1001, 0) if good else (1000, 1))
    if good:
        last = f"where crime_id = '{1001:064x}'"
        assert ground.query(f"select longitude from raw.police_uk_street {last}") == [(number,)]
    else:
        ((line, column),) = ground.query("select line, column_name from quarantine.refused_rows")
        assert (line, column) == (1002, "Longitude")
