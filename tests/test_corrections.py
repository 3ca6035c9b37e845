"""Known errors: corrected between raw and staging, guarded by the value that is expected."""

import re
from pathlib import Path

import pytest

from orchestration.config.settings import PROJECT
from orchestration.ingest.checking.contract import load_contracts
from orchestration.ingest.checking.corrections import (
    CorrectionError,
    apply_corrections,
    load_corrections,
)
from orchestration.warehouse.connection import connect
from tests.support import Ground, street_file, street_row

STREET = "police_uk_street"
WRONG, RIGHT = "E01018058", "E01018059"
OUTCOME = {
    "source": STREET,
    "quarter": "2018-04-01",
    "key": {"crime_id": f"{1:064x}"},
    "column": "lsoa_code",
    "expected": WRONG,
    "corrected": RIGHT,
    "reason": "The map point lies in the next small area.",
    "source_of_truth": "The force's own record",
    "author": "A. Analyst",
    "date": "2018-08-01",
}


def toml(**changes: object) -> str:
    lines = []
    for name, value in (OUTCOME | changes).items():
        if value is None:
            continue
        if isinstance(value, dict):
            inner = ", ".join(f'{key} = "{text}"' for key, text in value.items())
            lines.append(f"{name} = {{ {inner} }}")
        elif name in {"quarter", "period", "date", "version", "rows"}:
            lines.append(f"{name} = {value}")
        else:
            lines.append(f'{name} = "{value}"')
    return "[[corrections]]\n" + "\n".join(lines) + "\n"


def correct(ground: Ground, text: str, as_at: str = "2018-04-01") -> int:
    path = ground.settings.home / "corrections.toml"
    path.write_text(text)
    contracts = load_contracts()
    ground.resolve(as_at)
    with connect(ground.settings) as connection:
        return apply_corrections(connection, contracts, load_corrections(path, contracts))


def codes(ground: Ground, schema: str) -> list[str]:
    rows = ground.query(
        f"select distinct lsoa_code from {schema}.{STREET} where crime_id = '{1:064x}' order by 1"
    )
    return [code for (code,) in rows]


@pytest.fixture
def delivered(ground: Ground) -> Ground:
    rows = [street_row(number=number, lsoa_code=WRONG) for number in (1, 2, 3)]
    ground.put(STREET, "2018-04-01", {"a.csv": street_file(rows)})
    ground.load(STREET)
    return ground


def test_correction_reaches_staging_and_leaves_the_raw_table(delivered: Ground) -> None:
    assert correct(delivered, toml()) == 1
    assert codes(delivered, "in_force") == [RIGHT]
    assert codes(delivered, "raw") == [WRONG]
    others = f"select count(*) from in_force.{STREET} where lsoa_code = '{WRONG}'"
    assert delivered.value(others) == 2
    assert delivered.query(
        "select source, quarter::varchar, version, column_name, expected, corrected, "
        "rows_corrected, state, author from control.corrections_applied"
    ) == [(STREET, "2018-04-01", 1, "lsoa_code", WRONG, RIGHT, 1, "applied", "A. Analyst")]
    # Taken out of the file, it is taken out of the figures.
    assert correct(delivered, "") == 0
    assert codes(delivered, "in_force") == [WRONG]


def test_correction_by_period_follows_the_delivery_in_force(delivered: Ground) -> None:
    by_period = toml(quarter=None, period="2018-04-01")
    assert correct(delivered, by_period) == 1
    rows = [street_row(number=number, lsoa_code=WRONG) for number in (1, 2)]
    delivered.put(STREET, "2018-07-01", {"b.csv": street_file(rows)})
    delivered.load(STREET, "2018-07-01")
    assert correct(delivered, by_period, "2018-07-01") == 1
    assert delivered.query("select version, quarter::varchar from control.corrections_applied") == [
        (1, "2018-07-01")
    ]


def test_corrected_delivery_makes_the_correction_fail_loudly(delivered: Ground) -> None:
    correct(delivered, toml())
    rows = [street_row(number=number, lsoa_code=RIGHT) for number in (1, 2, 3)]
    delivered.put(STREET, "2018-04-01", {"a.csv": street_file(rows)})
    delivered.load(STREET)
    with pytest.raises(CorrectionError, match="probably fixed the error"):
        correct(delivered, toml())


def test_correction_of_one_version_is_looked_at_again_with_the_next(delivered: Ground) -> None:
    assert correct(delivered, toml(version=1)) == 1
    rows = [street_row(number=number, lsoa_code=WRONG) for number in (1, 2)]
    delivered.put(STREET, "2018-04-01", {"a.csv": street_file(rows)})
    delivered.load(STREET)
    with pytest.raises(CorrectionError, match=r"version 1.* v2"):
        correct(delivered, toml(version=1))


def test_row_that_is_gone_makes_the_correction_fail(delivered: Ground) -> None:
    with pytest.raises(CorrectionError, match="no row in force has the key"):
        correct(delivered, toml(key={"crime_id": f"{9:064x}"}))


def test_key_of_more_rows_than_said_fails(delivered: Ground) -> None:
    wide = {"lsoa_name": "Fenland 008A"}
    with pytest.raises(CorrectionError, match=r"1 row.* 3 "):
        correct(delivered, toml(key=wide))
    assert correct(delivered, toml(key=wide, rows=3)) == 1
    assert (
        delivered.value(f"select count(*) from in_force.{STREET} where lsoa_code = '{RIGHT}'") == 3
    )


def test_earlier_quarter_keeps_its_correction_when_a_later_one_is_repaired(
    delivered: Ground,
) -> None:
    rows = [street_row(number=number, lsoa_code=RIGHT) for number in (1, 2, 3)]
    delivered.put(STREET, "2018-07-01", {"b.csv": street_file(rows)})
    delivered.load(STREET, "2018-07-01")
    assert correct(delivered, toml(), "2018-07-01") == 0
    assert delivered.value("select state from control.corrections_applied") == "superseded"
    assert correct(delivered, toml(), "2018-04-01") == 1


def test_later_delivery_that_repeats_the_error_is_reported(delivered: Ground) -> None:
    rows = [street_row(number=number, lsoa_code=WRONG) for number in (1, 2)]
    delivered.put(STREET, "2018-07-01", {"b.csv": street_file(rows)})
    delivered.load(STREET, "2018-07-01")
    with pytest.raises(CorrectionError, match=r"2018-07-01 v1"):
        correct(delivered, toml(), "2018-07-01")


def test_delivery_to_come_is_waited_for(delivered: Ground) -> None:
    assert correct(delivered, toml(quarter="2018-07-01")) == 0
    assert delivered.value("select state from control.corrections_applied") == "not delivered yet"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"source": "police"}, "there is no such source"),
        ({"column": "colour"}, "the contract has no column colour"),
        ({"column": "month", "expected": "2018-04", "corrected": "2018-05"}, "identifies the row"),
        ({"expected": RIGHT}, "the corrected value is the expected one"),
        ({"quarter": None}, "name the quarter"),
        ({"quarter": "2018-05-01"}, "is not a quarter"),
        ({"reason": ""}, "reason"),
        (
            {
                "source": "probation_caseload",
                "key": {"provider": "CRC"},
                "column": "date_of_birth",
                "expected": "1990-01-01",
                "corrected": "1990-01-02",
            },
            "is personal",
        ),
        (
            {
                "source": "probation_caseload",
                "key": {"crn": "X000001"},
                "column": "order_type",
            },
            "crn is personal",
        ),
    ],
)
def test_file_that_cannot_be_meant_is_refused(
    tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    path = tmp_path / "corrections.toml"
    path.write_text(toml(**changes))
    with pytest.raises(CorrectionError) as caught:
        load_corrections(path, load_contracts())
    assert words in str(caught.value)
    assert "1990-01-0" not in str(caught.value) and "X000001" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"reason": "Seen with\\u0007 the force."}, "corrections[1].reason: holds a character"),
        ({"reason": "A" * 1001}, "corrections[1].reason"),
        ({"author": "\u0410. Analyst"}, "corrections[1].author: holds a letter that is not Latin"),
        ({"reason": "It is 2016/9912399Q, says the force."}, "corrections[1].reason: holds what"),
        ({"source": "../police_uk_street"}, "corrections[1].source"),
        ({"column": "lsoa code"}, "corrections[1].column"),
        ({"corrected": "E\u200b01018059"}, "corrections[1].corrected: holds a character"),
        ({"corrected": "E1"}, "corrections[1] (police_uk_street): Correction 1"),
        ({"key": {"location": "On or near 2016/9912399Q"}}, "a value holds what looks like"),
        ({"quarter": "2018-05-01"}, "corrections[1].quarter"),
        ({"colour": "red"}, "corrections[1].colour is no key of the file"),
        ({"author": None}, "corrections[1].author is missing"),
    ],
)
def test_each_fault_is_named_by_its_place(
    tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    path = tmp_path / "corrections.toml"
    path.write_text(toml(**changes), encoding="utf-8")
    with pytest.raises(CorrectionError) as caught:
        load_corrections(path, load_contracts())
    said = str(caught.value)
    assert words in said
    assert said.startswith(str(path))
    assert "9912399" not in said


def test_every_fault_is_named_at_once_and_no_correction_comes_twice(tmp_path: Path) -> None:
    path = tmp_path / "corrections.toml"
    path.write_text(toml(corrected="E1") + toml(column="colour") + toml() + toml())
    with pytest.raises(CorrectionError) as caught:
        load_corrections(path, load_contracts())
    places = re.findall(r"corrections\[(\d)\] \(", str(caught.value))
    assert places == ["1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[[corrections]\n", "The file is not TOML"),
        (b'x = "Caf\xe9"\n', "Byte 9 is not UTF-8"),
        (b"#" * 2_000_000, "at most"),
        (b"corrections = 7\n", "corrections: "),
        (b"other = 1\n", "other is no key of the file"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "corrections.toml"
    path.write_bytes(content)
    with pytest.raises(CorrectionError) as caught:
        load_corrections(path, load_contracts())
    assert words in str(caught.value)


def test_a_byte_order_mark_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "corrections.toml"
    path.write_text(toml(), encoding="utf-8-sig")
    assert len(load_corrections(path, load_contracts())) == 1


def test_corrected_value_must_meet_the_contract(delivered: Ground) -> None:
    with pytest.raises(CorrectionError, match="lsoa_code"):
        correct(delivered, toml(corrected="E1"))
    with pytest.raises(CorrectionError, match="crime_type"):
        correct(delivered, toml(column="crime_type", expected="Shoplifting", corrected=""))


def test_blank_can_be_expected_and_given(delivered: Ground) -> None:
    assert correct(delivered, toml(corrected="")) == 1
    assert codes(delivered, "in_force") == [None]
    blank = toml(column="context", expected="", corrected="given by telephone")
    assert correct(delivered, blank) == 1


def test_file_of_the_project_can_be_read() -> None:
    load_corrections(PROJECT / "orchestration" / "config" / "corrections.toml", load_contracts())
