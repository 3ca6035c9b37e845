"""Names of police forces as the files of data.police.uk have them."""

import re

_SHORT_NAMES = {
    "british transport police": "btp",
    "hampshire and isle of wight constabulary": "hampshire",
    "police service of northern ireland": "northern-ireland",
}
"""Names of forces in the publisher's files that do not follow from the forces' own names."""


def force_slug(name: str) -> str:
    """Return the name of a force as the publisher's files have it: ``avon-and-somerset``."""
    plain = " ".join(name.casefold().replace("&", " and ").split())
    if plain in _SHORT_NAMES:
        return _SHORT_NAMES[plain]
    plain = re.sub(r"\b(?:police service|police|constabulary|heddlu)\b", " ", plain)
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
