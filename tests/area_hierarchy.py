"""The models of the hierarchy of areas, run on lookups and histories that a test lands.

The files are read and loaded as a refresh does it; the models are run as dbt compiled them for the
sample's refresh, so that many worlds are tried in the time of one build.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from orchestration.config.settings import PROJECT, Settings
from orchestration.warehouse.connection import connect
from tests.support import Ground

LOOKUPS = "orchestration/ingest/sources/area_lookups"
AREAS = "csp_warehouse/models/intermediate/areas"
CORE = "csp_warehouse/models/marts/core"
MODELS = (
    *(
        ("staging", LOOKUPS, f"stg_area_lookups__{name}")
        for name in ("small_areas", "districts", "district_forces", "parents",
                     "small_area_changes", "code_history", "code_changes")
    ),
    *(
        ("intermediate", AREAS, f"int_{name}")
        for name in ("districts__known", "districts__ended", "district_changes__listed",
                     "district_changes__chained", "areas__listed", "districts__followed",
                     "districts__served",
                     "areas__named", "areas__served", "areas__dated", "district_parents__dated",
                     "area_districts__dated", "area_wards__dated", "area_parents__dated",
                     "area_changes__classified", "area_lookups__faults")
    ),
    *(("marts", CORE, name) for name in ("areas", "area_parents", "area_changes")),
)  # fmt: skip
HISTORY = (
    "GEOGCD,GEOGNM,GEOGNMW,SI_ID,SI_TITLE,OPER_DATE,TERM_DATE,PARENTCD,ENTITYCD,OWNER,STATUS,"
    "AREAEHECT,AREACHECT,AREAIHECT,AREALHECT"
)
CHANGES = "GEOGCD,GEOGNM,GEOGNMW,GEOGCD_P,GEOGNM_P,GEOGNMW_P,SI_ID,SI_TITLE,OPER_DATE,ENTITYCD,YEAR"


def history_row(code: str, name: str, first: str, last: str = "", parent: str = "") -> str:
    """Return a line of ChangeHistory.csv; days are dd/mm/yyyy."""
    days = [f"{day} 00:00:00" if day else "" for day in (first, last)]
    state = "terminated" if last else "live"
    return (
        f'{code},"{name}",,1111/1001,GSS re-coding strategy,{days[0]},{days[1]},{parent},'
        f"{code[:3]},LGBC,{state},10.00,10.00,0.00,10.00"
    )


def change_row(code: str, name: str, before: str, name_before: str, day: str) -> str:
    """Return a line of Changes.csv: what an area is since a day, and what it was until then."""
    return (
        f'{code},"{name}",,{before},"{name_before}",,2018/640,An Order,{day} 00:00:00,{code[:3]},'
        f"{day[-4:]}"
    )


def table(header: str, lines: Iterable[str]) -> str:
    """Return a CSV as the Office for National Statistics writes it."""
    return "\ufeff" + "\r\n".join([header, *lines]) + "\r\n"


@dataclass
class Hierarchy:
    """A warehouse in which the models of the hierarchy have been built."""

    ground: Ground

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return what a query finds."""
        return self.ground.query(query)

    def parent_on(self, area: str, parent_type: str, day: date | None) -> list[str]:
        """Return what an area lay in on a day, or lies in today where no day is given."""
        when = (
            "last_day is null"
            if day is None
            else f"(first_day is null or first_day <= date '{day}') "
            f"and (last_day is null or last_day >= date '{day}')"
        )
        found = self.rows(
            f"select parent_code from marts.area_parents where area_code = '{area}' "
            f"and parent_type = '{parent_type}' and {when} order by 1"
        )
        return [code for (code,) in found]

    def faults(self) -> dict[str, str]:
        """Return the disagreements that a refresh would warn of, by rule."""
        return dict(self.rows("from intermediate.int_area_lookups__faults"))


def compiled(target: Path) -> dict[str, str]:
    """Return the SQL of each model by name, as dbt compiled it into a folder."""
    return {
        name: (target / "compiled" / folder / f"{name}.sql").read_text()
        for _, folder, name in MODELS
    }


def build(
    folder: Path,
    sql: Mapping[str, str],
    districts: Sequence[tuple[str, str]],
    deliveries: Mapping[str, Mapping[str, str | bytes]],
) -> Hierarchy:
    """Land the files of each quarter, load them and run the models.

    ``districts`` are code and name of each district that the partnerships file names, one
    partnership a district, all of one force.
    """
    settings = Settings(
        home=folder / "var", raw=folder / "raw", partnerships=_partnerships(folder, districts)
    )
    ground = Ground(settings)
    last = max(deliveries)
    for quarter, files in deliveries.items():
        ground.put("area_lookups", quarter, dict(files))
    report = ground.load("area_lookups", as_at=last)
    assert [str(fault) for outcome in report.outcomes for fault in outcome.faults] == []
    ground.resolve(last)
    with connect(settings) as connection:
        for schema in ("staging", "intermediate", "marts", "reference"):
            connection.execute(f"create schema if not exists {schema}")
        seed = PROJECT / "dbt_project" / "seeds" / "district_changes.csv"
        connection.execute(f"create table reference.district_changes as from read_csv('{seed}')")
        for schema, _, name in MODELS:
            connection.execute(f"create table {schema}.{name} as {sql[name]}")
    return Hierarchy(ground)


def _partnerships(folder: Path, districts: Sequence[tuple[str, str]]) -> Path:
    lines = ["[[force_areas]]", 'code = "E23000099"', 'name = "Shire"', 'force = "Shire Police"']
    for code, name in districts:
        lines += [
            "[[force_areas.partnerships]]",
            f'csp = "{name.lower().replace(" ", "-")}"',
            f'name = "{name} CSP"',
            f'district_code = "{code}"',
            f'district_name = "{name}"',
        ]
    path = folder / "partnerships.toml"
    path.write_text("\n".join(lines) + "\n")
    return path
