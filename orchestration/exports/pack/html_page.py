"""The pack to read: one HTML page that needs no network, no script and no second file."""

import base64
import re
import struct
from collections.abc import Iterable, Mapping
from importlib.resources import files
from itertools import groupby
from typing import TYPE_CHECKING

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from orchestration.exports.charts.chart_text import SYNTHETIC_MARK
from orchestration.exports.pack.pack_content import Pack, general_reference
from orchestration.exports.report_definition.table_layout import GridRow, is_blocks

if TYPE_CHECKING:
    from orchestration.exports.charts.line_charts import Chart

RESTRICTED_MARK = "Restricted"
"""The head of each printed page of a restricted edition; its foot has the whole notice."""


def pack_html(pack: Pack) -> bytes:
    """Return the page of a pack as UTF-8; every text from the data is escaped."""
    templates = files("orchestration.exports.pack").joinpath("templates")
    environment = Environment(
        loader=DictLoader({"pack": templates.joinpath("pack.html.j2").read_text("utf-8")}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=False,
    )
    environment.filters.update(
        base64=lambda content: base64.b64encode(content).decode("ascii"),
        css_text=css_text,
        general_reference=general_reference,
        grouped=_grouped,
        is_blocks=is_blocks,
        size=png_size,
    )
    page = environment.get_template("pack").render(
        pack=pack,
        css=Markup(templates.joinpath("pack.css").read_text("utf-8")),
        marker=_marks(pack),
    )
    return page.encode("utf-8")


def _marks(pack: Pack) -> str:
    """Return what the head of each printed page says before the quarter."""
    restricted = f"{RESTRICTED_MARK}. " if pack.restricted_notice else ""
    return restricted + (f"{SYNTHETIC_MARK}. " if pack.synthetic_notice else "")


def css_text(text: str) -> Markup:
    """Return ``text`` as a string of a style sheet that can end neither itself nor the sheet."""
    escaped = re.sub(r"[^\w .,:()/-]", lambda found: f"\\{ord(found[0]):x} ", text)
    return Markup(f'"{escaped}"')


def png_size(chart: "Chart") -> Mapping[str, int]:
    """Return the width and height in pixels of a chart's PNG, whose proportions its SVG shares."""
    width, height = struct.unpack(">II", chart.png[16:24])
    return {"width": width, "height": height}


def _grouped(rows: Iterable[GridRow]) -> list[tuple[str, list[GridRow]]]:
    return [(group, list(found)) for group, found in groupby(rows, key=lambda row: row.group)]
