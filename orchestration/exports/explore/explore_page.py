"""``explore.html``: one file that needs no network and no second file.

The figures lie in the page as JSON, the drawing library (Vega, from ``vl-convert-python``) as a
script. Texts of the data are put into the page as texts only, by Jinja and by the DOM.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from orchestration.exports.charts.chart_text import SHORTHAND
from orchestration.exports.explore.plain_table import plain_table
from orchestration.exports.report_definition.table_layout import EXPLAINS

_VEGA_LITE = "6.4"
_FOR_THE_PAGE = "window.vegaEmbed = vegaEmbed;"
_TEMPLATES = ("explore.html.j2", "explore.css", "explore.js")


@dataclass(frozen=True)
class PageWords:
    """What the page says: heading, notices above all else, up to when data go, and the product."""

    heading: str
    notices: tuple[str, ...]
    up_to: str
    product: str


def explore_html(words: PageWords, colours: list[str], content: dict[str, Any]) -> bytes:
    """Return the page as UTF-8; every text from the data is escaped.

    ``colours`` are those of the areas, and ``content`` has ``subjects``, ``areas`` and ``map`` (see
    ``explore_data``).
    """
    folder = files("orchestration.exports.explore").joinpath("templates")
    page, style, script = (folder.joinpath(name).read_text("utf-8") for name in _TEMPLATES)
    environment = Environment(
        loader=DictLoader({"page": page}), autoescape=True, undefined=StrictUndefined
    )
    data = {**content, "colours": colours, "shorthand": dict(SHORTHAND), "explains": EXPLAINS}
    subjects = content["subjects"]
    made = environment.get_template("page").render(
        heading=words.heading,
        notices=words.notices,
        up_to=words.up_to,
        product=words.product,
        shorthand=SHORTHAND,
        plain=plain_table(subjects[0], content["areas"]) if subjects else None,
        style=Markup(style),
        data=Markup(_in_script(json.dumps(data, ensure_ascii=False, separators=(",", ":")))),
        library=Markup(_library()),
        script=Markup(script),
    )
    return made.encode("utf-8")


def _in_script(text: str) -> str:
    """Return JSON that ends no element of the page and starts none."""
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


@cache
def _library() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script. It takes a second to bundle."""
    import vl_convert

    bundle: str = vl_convert.javascript_bundle(_FOR_THE_PAGE, vl_version=_VEGA_LITE)
    return bundle.replace("</script", "<\\/script")
