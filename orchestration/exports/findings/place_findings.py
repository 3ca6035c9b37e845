"""Findings on places: where crime is concentrated for more than chance, and the hot spots."""

from collections.abc import Sequence

from orchestration.exports.findings.finding import Finding
from orchestration.exports.findings.finding_text import count, lowered, number
from orchestration.exports.report_definition.row_selection import Place, Row


def concentrated_types(rows: Sequence[Row], place: Place, off: float) -> list[Finding]:
    """Return a finding on the most concentrated type that is tested, and one on hot spots.

    The first is about the small areas that were the highest a year before: that some place has
    the most now is no finding.
    """
    # Total crime is the first row of an area; of types that are not tested there are too few.
    own = sorted(place.own(rows), key=lambda row: number(row, "row_order"))
    tested = [row for row in own if row["hot_spots"] is not None]
    if not tested or tested[0] is not own[0]:
        return []
    return [*_concentration(tested[1:], place), *_hot_spots(tested[0], place)]


def _concentration(types: Sequence[Row], place: Place) -> list[Finding]:
    known = [row for row in types if row["share_of_earlier_highest_lower"] is not None]
    if not known:
        return []
    row = max(known, key=lambda one: number(one, "share_of_earlier_highest_lower"))
    text = (
        f"{row['crime_type']} in {place.name} is the most concentrated type: the "
        f"{count(row, 'highest_places')} of {count(row, 'places')} small areas that had the most "
        f"in the year before have {100 * number(row, 'share_of_earlier_highest'):.0f}% of the "
        f"{count(row, 'offences')} offences in the {lowered(str(row['period_label']))} "
        f"({row['earlier_limits']})."
    )
    return [Finding(text)]


def _hot_spots(total: Row, place: Place) -> list[Finding]:
    found = int(number(total, "hot_spots"))
    if not found:
        return [Finding(f"Total crime in {place.name} has no hot spot.", "usual")]
    spots = "hot spot" if found == 1 else "hot spots"
    text = f"Total crime in {place.name} has {found} {spots}: {total['hot_spot_names']}."
    persistent = total["persistent_hot_spots"]
    if persistent is not None:
        text += f" Hot spots a year before too: {int(number(total, 'persistent_hot_spots'))}."
    return [Finding(text)]
