"""A chart as files of an export: SVG, PNG and the text in its place."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from orchestration.exports.reused_files import ExportFolder

if TYPE_CHECKING:
    from orchestration.exports.charts.line_charts import Chart


def kept_chart(
    folder: ExportFolder, slug: str, inputs: object, draw: Callable[[], "Chart | None"]
) -> "Chart | None":
    """Have the chart ``slug`` in the folder ``charts``; return it, none where ``draw`` has none.

    It is taken over where ``inputs``, all that ``draw`` follows from, are those of the export
    before.
    """
    from orchestration.exports.charts.line_charts import Chart

    names = [f"charts/{slug}.{kind}" for kind in ("svg", "png", "txt")]
    svg, png, text = (folder.path / name for name in names)

    def write() -> None:
        if chart := draw():
            svg.write_bytes(chart.svg)
            png.write_bytes(chart.png)
            text.write_text(f"{chart.alt}\n", encoding="utf-8")

    folder.make(names, inputs, write)
    if not svg.exists():
        return None
    alt = text.read_text(encoding="utf-8").removesuffix("\n")
    return Chart(slug, svg.read_bytes(), png.read_bytes(), alt)
