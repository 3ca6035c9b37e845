"""A made-up archive of street-level crime, as large as the nation's, in the publisher's layout.

Some files a month, each of its own forces, the lookup of their small areas, mid-year estimates, and
a partnerships file. Everything in it is synthetic.
"""

import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from orchestration.config.quarters import quarter_of

FORCES = 43
DISTRICTS = 330
SMALL_AREAS = 33_000
FIRST_YEAR = 2013

_TYPES = (
    "Anti-social behaviour",
    "Violence and sexual offences",
    "Criminal damage and arson",
    "Other theft",
    "Burglary",
    "Shoplifting",
    "Vehicle crime",
    "Public order",
    "Drugs",
    "Bicycle theft",
    "Theft from the person",
    "Robbery",
    "Possession of weapons",
    "Other crime",
)

_MONTH = """
create or replace temp table month_rows as
    select
        area % {districts} % {forces} as force_number,
        case when kind > 0 then md5(seed || 'a') || md5(seed || 'b') end as "Crime ID",
        '{month}' as "Month",
        force as "Reported by",
        force as "Falls within",
        printf('%.6f', -3.0 + (hash(seed || 'x') % 4000000) / 1000000.0) as "Longitude",
        printf('%.6f', 50.5 + (hash(seed || 'y') % 4000000) / 1000000.0) as "Latitude",
        'On or near Synthetic Street ' || (number % 5000) as "Location",
        printf('E01%06d', area) as "LSOA code",
        'District ' || (area % {districts}) || ' 001A' as "LSOA name",
        [{types}][kind + 1] as "Crime type",
        case when kind > 0 then 'Status update unavailable' end as "Last outcome category",
        null as "Context"
    from (
        select
            range as number,
            '{month}' || range as seed,
            (hash('{month}' || range) % {areas})::integer as area,
            (hash(range || '{month}') % 100)::integer as draw,
            case when draw < 30 then 0 else draw % 13 + 1 end as kind,
            'Force ' || (area % {districts} % {forces}) as force
        from range({rows})
    )
"""
_FILE = """
copy (
    select * exclude (force_number) from month_rows where force_number % {parts} = {part}
) to '{path}' (header, delimiter ',')
"""


@dataclass(frozen=True)
class Archive:
    """Where the archive lies, and the last quarter that it has."""

    raw: Path
    partnerships: Path
    quarter: date
    rows: int
    files: tuple[Path, ...]


def make_archive(folder: Path, rows: int, months: int, files_a_month: int = 1) -> Archive:
    """Write an archive of about ``rows`` rows over ``months`` months from January 2013.

    Each month comes in ``files_a_month`` files, which share the forces between them.
    """
    raw = folder / "raw"
    files = []
    each = rows // months
    with duckdb.connect() as connection:
        for number in range(months):
            first = date(FIRST_YEAR + number // 12, number % 12 + 1, 1)
            query = _MONTH.format(
                month=f"{first:%Y-%m}", rows=each, areas=SMALL_AREAS, forces=FORCES,
                districts=DISTRICTS, types=", ".join(f"'{one}'" for one in _TYPES),
            )  # fmt: skip
            connection.execute(query)
            for part in range(files_a_month):
                path = _street_path(raw, first, part)
                connection.execute(_FILE.format(parts=files_a_month, part=part, path=path))
                files.append(path)
    quarter = quarter_of(first)
    _write_lookup(raw / "area_lookups" / f"{FIRST_YEAR}-01-01")
    _write_populations(raw / "population_estimates" / quarter.isoformat(), first.year)
    _write_partnerships(folder / "partnerships.toml")
    return Archive(raw, folder / "partnerships.toml", quarter, each * months, tuple(files))


def _street_path(raw: Path, month: date, part: int) -> Path:
    folder = raw / "police_uk_street" / quarter_of(month).isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{month:%Y-%m}-forces-{part}-street.csv"


def district_code(number: int) -> str:
    """Return the made-up GSS code of a district."""
    return f"E07{number:06d}"


def district_name(number: int) -> str:
    """Return a district's name; one bears that of the docs' example queries, and its code."""
    return "Fenland" if district_code(number) == "E07000010" else f"District {number}"


def _write_lookup(folder: Path) -> None:
    folder.mkdir(parents=True)
    with (folder / "lsoa_2011.csv").open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["LSOA11CD", "LSOA11NM", "LAD17CD", "LAD17NM", "FID"])
        for area in range(SMALL_AREAS):
            number = area % DISTRICTS
            name = district_name(number)
            writer.writerow([f"E01{area:06d}", f"{name} 001A", district_code(number), name, area])


def _write_populations(folder: Path, last_year: int) -> None:
    import xlwt

    folder.mkdir(parents=True)
    years = range(last_year, FIRST_YEAR - 1, -1)
    book = xlwt.Workbook()
    sheet = book.add_sheet("MYE 5")
    titles = ["Code", "Name", *(f"Estimated Population mid-{year}" for year in years)]
    for place, title in enumerate(titles):
        sheet.write(0, place, title)
    for number in range(DISTRICTS):
        sheet.write(number + 1, 0, district_code(number))
        sheet.write(number + 1, 1, district_name(number))
        for place, year in enumerate(years):
            sheet.write(number + 1, place + 2, 100_000 + 100 * number + year)
    book.save(str(folder / "estimates.xls"))


def _write_partnerships(path: Path) -> None:
    lines = []
    for force in range(FORCES):
        lines += [
            "[[force_areas]]",
            f'code = "E23{force:06d}"',
            f'name = "Force area {force}"',
            f'force = "Force {force}"',
        ]
        for number in range(force, DISTRICTS, FORCES):
            lines += [
                "[[force_areas.partnerships]]",
                f'csp = "{district_name(number).lower().replace(" ", "-")}"',
                f'name = "{district_name(number)} Community Safety Partnership"',
                f'district_code = "{district_code(number)}"',
                f'district_name = "{district_name(number)}"',
            ]
    path.write_text("\n".join(lines) + "\n")
