"""The names that the warehouse serves, and the series of deliveries matched to them.

Forces, districts, youth offending services and prisons are those of the partnerships file. A name
is the same however it is spaced and capitalised, and a force may be named as the files of
data.police.uk name it. Rows of an unknown name are counted nowhere and
reported.
"""

import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import duckdb

from orchestration.errors import SettingsError
from orchestration.ingest.checking.configured_words import vocabulary_of
from orchestration.ingest.checking.contract import Contract
from orchestration.ingest.checking.coverage import plain_name
from orchestration.ingest.checking.force_names import force_slug
from orchestration.ingest.checking.shown_texts import ShownTexts, Vocabulary

_LISTED_IN = {
    "force": ("force_name", "partnership_areas"),
    "district": ("district_code", "partnership_areas"),
    "service": ("youth_offending_service", "partnership_youth_services"),
    "prison": ("prison", "partnership_prisons"),
}
_SERVED_BY = {
    "force": "no force area of the partnerships file has that force",
    "district": "the partnerships file does not list that district",
}
"""Why a name is not served. Of services and prisons a dbt test says it, with what to add."""

_ALIKE = 0.6
"""Likeness from which one name is treated as a misspelling of the other."""


def served_names(connection: duckdb.DuckDBPyConnection, kind: str) -> list[str]:
    """Return the names of one kind that are served, in alphabetical order."""
    column, table = _LISTED_IN[kind]
    rows = connection.execute(f"select distinct {column} from control.{table}").fetchall()
    return sorted(str(name) for (name,) in rows)


def configured_names(connection: duckdb.DuckDBPyConnection, contract: Contract) -> list[str]:
    """Return the services or prisons that may be in a source; none where it is of neither.

    The name of an empty file is known by them.
    """
    kind = contract.coverage.names
    return served_names(connection, kind) if kind in ("service", "prison") else []


def nearest(name: str, names: Collection[str]) -> list[str]:
    """Return up to three of ``names`` that are most like ``name``, the most like first."""
    spelled = {plain_name(one): one for one in names}
    wanted = plain_name(name)
    near = difflib.get_close_matches(wanted, spelled, n=3, cutoff=_ALIKE)
    # 'Norfolk Police' is 'Norfolk Constabulary', more than 'Suffolk Police' is.
    first = wanted.split(" ", 1)[0]
    near += [one for one in sorted(spelled) if one.split(" ", 1)[0] == first and one not in near]
    near.sort(key=lambda one: one.split(" ", 1)[0] != first)
    return [spelled[one] for one in near[:3]]


def resolve_series(
    connection: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract]
) -> None:
    """Rebuild ``control.series``: what each series is called here, as at ``control.refresh``.

    A name that is served is spelled as it is served; any other as it was first delivered.
    """
    rows = connection.execute(
        "select coverage.source, coverage.series, coverage.name from control.coverage as coverage "
        "inner join control.deliveries as deliveries using (delivery_id) "
        "cross join control.refresh as refresh where deliveries.quarter <= refresh.as_at "
        "group by all order by min((deliveries.quarter, deliveries.version, coverage.series))"
    ).fetchall()
    served = {
        kind: {
            known: name
            for name in served_names(connection, kind)
            for known in (plain_name(name), *([force_slug(name)] if kind == "force" else []))
        }
        for kind in {one.coverage.names for one in contracts.values() if one.coverage.names}
    }
    first: dict[tuple[str, str], str] = {}
    hidden = _HiddenNames(vocabulary_of(connection))
    found = []
    for source, series, name in rows:
        contract = contracts.get(source)
        kind = contract.coverage.names if contract else None
        names = served[kind] if kind else {}
        tidy = " ".join(name.split())
        tidy = hidden.shown(contract, source, tidy)
        spelled = names.get(plain_name(name), first.setdefault((source, plain_name(name)), tidy))
        before = hidden.shown(contract, source, " ".join(series.removesuffix(name).split()))
        whole = f"{before} {spelled}".strip()
        canonical = first.setdefault((f"{source} series", plain_name(whole)), whole)
        is_served = not names or plain_name(name) in names
        found.append((source, series, canonical, spelled, is_served))
    connection.execute("delete from control.series")
    if found:
        connection.execute(
            "insert into control.series select unnest($1), unnest($2), unnest($3), unnest($4), "
            "unnest($5)",
            [list(column) for column in zip(*found, strict=True)],
        )


@dataclass
class _HiddenNames:
    """Names that may be a person's or hold an identifier: each has a number in their place.

    What is published names series, and a supplier may write anything where a name should be.
    """

    vocabulary: Vocabulary
    numbers: dict[tuple[str, str], int] = field(default_factory=dict)

    def shown(self, contract: Contract | None, source: str, name: str) -> str:
        """Return a name as everybody may read it."""
        if contract is None:  # of a source that is no more, nothing is published
            return name
        if ShownTexts(contract, self.vocabulary).may_show(name):
            return name
        own = sum(known == source for known, _ in self.numbers)
        number = self.numbers.setdefault((source, plain_name(name)), own + 1)
        return f"name {number} (not shown, {len(name)} characters)"


# --- what nobody serves ----------------------------------------------------------------------


@dataclass(frozen=True)
class Unserved:
    """Rows in force of a name that nobody serves, up to its latest delivery."""

    source: str
    series: str
    delivery_id: int
    message: str


def unserved_series(
    connection: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract]
) -> list[Unserved]:
    """Return the series in force that nobody serves, each with its rows and the nearest names."""
    rows = connection.execute(
        "select in_force.source, in_force.series, any_value(in_force.served_name), "
        "sum(in_force.row_count)::bigint, "
        "arg_max(in_force.delivery_id, (in_force.quarter, in_force.version)) "
        "from control.in_force as in_force inner join control.series as series "
        "using (source, delivered_series) where not series.is_served group by all order by all"
    ).fetchall()
    found = []
    for source, series, name, count, delivery_id in rows:
        kind = contracts[source].coverage.names
        if kind not in _SERVED_BY:
            continue
        near = nearest(name, served_names(connection, kind))
        hint = f" Nearest: {_quoted(near)}." if near else ""
        found.append(
            Unserved(
                source,
                series,
                delivery_id,
                f"{count:,} {'row' if count == 1 else 'rows'} of '{name}' "
                f"{'is' if count == 1 else 'are'} loaded and counted nowhere: {_SERVED_BY[kind]}."
                f"{hint} If it is to be counted, add it there; if not, accept this.",
            )
        )
    return found


def refuse_absent_forces(
    connection: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract]
) -> None:
    """Raise :class:`SettingsError` where a force served is in no delivery and may be misspelled.

    That is where none of the forces served occurs in what is in force, or the data have a name like
    the one that does not. A force whose first delivery is still to come is no error.
    """
    sources = [name for name, one in contracts.items() if one.coverage.names == "force"]
    rows = connection.execute(
        "select distinct served_name from control.in_force "
        "where source in (select unnest($1::varchar[])) order by 1",
        [sources],
    ).fetchall()
    delivered = [str(name) for (name,) in rows]
    served = served_names(connection, "force")
    absent = [name for name in served if name not in delivered]
    if not delivered or not absent:
        return
    strangers = [name for name in delivered if name not in served]
    near = {name: nearest(name, strangers) for name in absent}
    suspect = absent if len(absent) == len(served) else [one for one in absent if near[one]]
    if suspect:
        raise SettingsError(" ".join(_absent(one, near[one], delivered) for one in suspect))


def _absent(name: str, near: Sequence[str], delivered: Sequence[str]) -> str:
    hint = f" Nearest: {_quoted(near)}." if near else f" They have: {_quoted(delivered[:5])}."
    return (
        f"The partnerships file has the force '{name}', of which no delivery in force has a row."
        f"{hint} Write the force as data.police.uk names it in 'Reported by', or land its "
        "deliveries."
    )


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
