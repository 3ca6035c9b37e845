"""How report models declare that they are shown: read from the dbt manifest, and checked.

The declaration is ``config.meta.csp.report`` of a model in schema ``reports``. A model that is not
published may declare it too: the pack then says why the table is not in the release.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from orchestration.errors import nearest
from orchestration.publish.errors import CatalogueError
from orchestration.publish.metrics import Metric, declared_metrics
from orchestration.releases.report_metadata import DIAGRAMS, ReportMetadata

REPORTS = "reports"
"""Schema of the report tables."""

_PLACE = "config.meta.csp.report"

_KINDS = frozenset({"control", "bars", "panels", "pairs", "intervals", "funnel"})
"""Values of ``chart.kind``, which pydantic puts into the place of a fault."""


@dataclass(frozen=True)
class DeclaredReport:
    """A report model and how it is shown."""

    schema: str
    name: str
    metadata: ReportMetadata

    @property
    def json(self) -> str:
        """The declaration without what is left at its default, as JSON."""
        return self.metadata.model_dump_json(exclude_defaults=True)


def declared_reports(manifest: Mapping[str, Any]) -> list[DeclaredReport]:
    """Return the reports of a dbt manifest, by name.

    Raises :class:`CatalogueError`, which names model, field and remedy, where a declaration cannot
    be used, or where a published report model has none.
    """
    found = []
    metrics = {metric.name: metric for metric in declared_metrics(manifest)}
    for node in manifest.get("nodes", {}).values():
        meta = ((node.get("config") or {}).get("meta") or {}).get("csp") or {}
        if node.get("resource_type") != "model":
            continue
        if "report" in meta:
            name = node.get("alias") or node["name"]
            found.append(
                DeclaredReport(node["schema"], name, _parsed(node, meta["report"], metrics))
            )
        elif meta.get("publish") is True and node["schema"] == REPORTS:
            raise _fault(node["name"], "it is published but declares nothing")
    found.sort(key=lambda report: report.name)
    _refuse_same_labels(found)
    _refuse_differing_notes(found)
    return found


def _parsed(
    node: Mapping[str, Any], declared: object, metrics: Mapping[str, Metric]
) -> ReportMetadata:
    if node["schema"] != REPORTS:
        raise _fault(
            node["name"],
            f"it is in schema {node['schema']}, and only models in schema {REPORTS} are shown",
        )
    try:
        made = ReportMetadata.model_validate(_with_metrics(node, declared, metrics))
    except ValidationError as error:
        faults = "; ".join(_words(dict(fault)) for fault in error.errors())
        raise _fault(node["name"], faults) from error
    columns = node.get("columns") or {}
    unknown = [
        f"field {field} needs the column '{name}', which the model does not have"
        for field, name in made.references
        if name not in columns
    ]
    if unknown:
        raise _fault(node["name"], "; ".join(unknown))
    return made


def _with_metrics(
    node: Mapping[str, Any], declared: object, metrics: Mapping[str, Metric]
) -> object:
    """Return a declaration whose columns have heading, form and note of the metrics they name.

    What a column declares itself comes first.
    """
    columns = declared.get("columns") if isinstance(declared, dict) else None
    if not isinstance(declared, dict) or not isinstance(columns, list):
        return declared
    notes = dict(declared.get("notes") or {})
    made = []
    for column in columns:
        name = column.get("metric") if isinstance(column, dict) else None
        if name is None:
            made.append(column)
            continue
        if name not in metrics:
            near = ", ".join(nearest(str(name), list(metrics)))
            hint = f" (nearest: {near})" if near else ""
            raise _fault(node["name"], f"field columns: there is no metric {name!r}{hint}")
        metric = metrics[name]
        filled = {"heading": metric.label, "form": metric.form, **column}
        if metric.printed_note and "note" not in filled:
            filled["note"] = name
            notes[name] = {"text": metric.printed_note}
        made.append(filled)
    return {**declared, "columns": made, "notes": notes}


def _words(fault: Mapping[str, Any]) -> str:
    """Say what is wrong with a field."""
    parts = [str(part) for part in fault["loc"] if part not in _KINDS]
    field = f"field {'.'.join(parts)}" if parts else "the declaration"
    context = fault.get("ctx", {})
    if fault["type"] == "missing":
        return f"{field} is missing"
    if fault["type"] == "extra_forbidden":
        return f"{field} is not a field"
    if fault["type"] == "value_error":
        return f"{field}: {context['error']}" if parts else str(context["error"])
    if fault["type"] == "model_type":
        return f"{field} is {fault['input']!r}; it must be a mapping of fields to values"
    if fault["type"] == "union_tag_invalid":
        return f"{field}.kind is '{context['tag']}'; it must be one of {context['expected_tags']}"
    if "expected" in context:
        return f"{field} is {fault['input']!r}; it must be {context['expected']}"
    return f"{field} is {fault['input']!r}: {fault['msg']}"


def _refuse_same_labels(reports: Sequence[DeclaredReport]) -> None:
    """A label names a sheet of the workbook, so it comes once."""
    owners = {diagram.label: "a printed diagram" for diagram in DIAGRAMS}
    for report in reports:
        label = report.metadata.label
        if label in owners:
            raise _fault(report.name, f"label {label!r} is taken by {owners[label]}")
        owners[label] = report.name


def _refuse_differing_notes(reports: Iterable[DeclaredReport]) -> None:
    """The workbook lists a note once, under its key."""
    known: dict[str, DeclaredReport] = {}
    for report in reports:
        for key, note in report.metadata.notes.items():
            first = known.setdefault(key, report)
            if note != first.metadata.notes[key]:
                raise _fault(
                    report.name,
                    f"field notes.{key} differs from that of {first.name}; use another key",
                )


def _fault(model: str, fault: str) -> CatalogueError:
    return CatalogueError(
        f"Report metadata of {model} ({_PLACE} in its YAML): {fault}. Correct the YAML; "
        "docs/report_metadata.md describes every field."
    )
