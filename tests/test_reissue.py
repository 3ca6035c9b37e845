"""A month that data.police.uk published twice, from landing to the published changes."""

from pathlib import Path

import duckdb
import pytest

from tests.support import refresh

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.campaign]


def land(raw: Path, source: str, quarter: str, files: dict[str, bytes]) -> None:
    folder = raw / source / quarter
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def test_reissued_month_is_in_changes_with_its_cause(real_data: Path, tmp_path: Path) -> None:
    """The real month of December 2018; before it, the same month without its last 200 shoplifting.

    Golden figures are counted in the files themselves.
    """
    raw, home = tmp_path / "raw", tmp_path / "var"
    months = {
        name: (real_data / "police_uk" / f"{name}-cambridgeshire-street.csv").read_bytes()
        for name in ("2018-10", "2018-11", "2018-12", "2019-01", "2019-02")
    }
    lines = months["2018-12"].splitlines(keepends=True)
    shoplifting = [line for line in lines if b",Shoplifting," in line]
    unplaced = set(shoplifting[-200:])
    first = b"".join(line for line in lines if line not in unplaced)
    lookups = {path.name: path.read_bytes() for path in (real_data / "lookups").glob("*.csv")}
    land(raw, "area_lookups", "2018-10-01", lookups)
    land(
        raw, "police_uk_street", "2018-10-01",
        {"10.csv": months["2018-10"], "11.csv": months["2018-11"], "12.csv": first},
    )  # fmt: skip
    land(
        raw, "police_uk_street", "2019-01-01",
        {"12.csv": months["2018-12"], "01.csv": months["2019-01"], "02.csv": months["2019-02"]},
    )  # fmt: skip
    for quarter in ("2018-10-01", "2019-01-01"):
        done = refresh(home, raw, quarter)
        assert done.returncode == 0, done.stdout + done.stderr
    with duckdb.connect(home / "published" / "csp.duckdb", read_only=True) as connection:
        ((old, new, difference, kind, cause),) = connection.execute(
            "select old::bigint, new::bigint, difference, kind, cause from changes "
            "where table_name = 'shoplifting_trends' and measure = 'offences' "
            "and area_code = 'E23000023' and key_json like '%\"month\"%2018-12-01%'"
        ).fetchall()
        ((status,),) = connection.execute(
            "select status from marts.shoplifting_trends where area_code = 'E23000023' "
            "and period_type = 'month' and period_start = '2018-12-01'"
        ).fetchall()
        unmoved = connection.execute(
            "select count(*) from changes where table_name = 'shoplifting_trends' "
            "and measure = 'offences' and old is not null and key_json like '%\"month\"%' "
            "and key_json not like '%2018-12-01%'"
        ).fetchall()
    assert (old, new, difference) == (len(shoplifting) - 200, len(shoplifting), 200)
    assert kind == "revised delivery"
    assert cause.startswith("police_uk_street 2019-01-01 v1 replaces 2018-10-01 v1 for 2018-12")
    assert "[r]" in status
    assert unmoved == [(0,)]
