"""The values of the partnerships file: names, and the codes of areas."""

from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from orchestration.config.toml_files import published_text, seen_text

DISTRICT = r"^(E0[6-9]|W06|S12|N09)[0-9]{6}$"
SMALL_AREA = r"^(E01|W01|S01|N2[01])[0-9]{6}$"

Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^\P{C}+$"),
    AfterValidator(published_text),
]
DistrictCode = Annotated[str, StringConstraints(strip_whitespace=True, pattern=DISTRICT)]
SmallAreaCode = Annotated[str, StringConstraints(strip_whitespace=True, pattern=SMALL_AREA)]
Wording = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(seen_text),
]
"""A text that no table shows, such as the form of a number with an example of it."""
