"""A short code for each rule on deliveries, which stays the same when its wording changes.

The letter says what the rule is about: D the delivery, F a file, S a sheet or table, R a row, V a
value. A code is never given to another rule: a rule that is dropped leaves its number unused.
"""

import re

_CODES = {
    "D01": "has a file to read",
    "D02": "is new",
    "D03": "matches its receipt",
    "D04": "was landed in full",
    "D05": "few rows are wrong",
    "D06": "is of the agreed kind",
    "D07": "is read by a source",
    "D08": "says which period it is of",
    "D09": "a month comes once",
    "D10": "says which force it is of",
    "F01": "can be opened",
    "F02": "can be read",
    "F03": "is whole",
    "F04": "not empty",
    "F05": "is not locked",
    "F06": "is of a reasonable size",
    "F07": "has a plain name",
    "F08": "is UTF-8",
    "F09": "is a CSV",
    "F10": "has commas between values",
    "F11": "has line ends",
    "F12": "quotes are closed",
    "F13": "is GeoJSON",
    "F14": "is a known lookup",
    "F15": "is of a known edition",
    "F16": "is a plain file",
    "F17": "is an area of the hierarchy",
    "S01": "has the sheet",
    "S02": "has a header",
    "S03": "has every column",
    "S04": "columns are named once",
    "S05": "every column has a heading",
    "S06": "has no unknown column",
    "S07": "has no unknown sheet",
    "S08": "has no hidden sheet",
    "S09": "has no hidden columns",
    "S10": "has no hidden rows",
    "S11": "has no merged cells",
    "S12": "has no empty rows",
    "S13": "has rows",
    "S14": "has nothing beside its table",
    "S15": "every row is accounted for",
    "S16": "every cell is read",
    "S17": "has a title",
    "S18": "says its year",
    "S19": "a year comes once",
    "S20": "says what it is of",
    "S21": "has a survey period",
    "S22": "says its prison and period",
    "S23": "ends after it starts",
    "R01": "is a row of the table",
    "R02": "every line is a row",
    "R03": "key is unique",
    "R04": "is of the file's period",
    "R05": "the total adds up",
    "R06": "a part is no more than its whole",
    "R07": "row is not repeated",
    "R08": "value is unique",
    "R09": "the decile agrees with the rank",
    "V01": "is not blank",
    "V02": "is a known value",
    "V03": "has the right form",
    "V04": "is a number",
    "V05": "is a whole number",
    "V06": "is a date",
    "V07": "is one day",
    "V08": "has no time of day",
    "V09": "holds no spreadsheet error",
    "V17": "holds no identifier",
    "V18": "has the form of its force or service",
    "V19": "has a boundary",
    "V20": "is a police force",
}
_FAMILIES = {
    "V10": r"is a date like .+",
    "V11": r"is at least \S+",
    "V12": r"is at most [\d,]+ characters long",
    "V13": r"is at most \S+",
    "V14": r"is \d+ characters long",
    "V15": r"gives a plausible age on .+",
    "V16": r"is not after .+",
}
"""Rules whose words take a number, a form or a heading from the contract."""


OWN = "X00"
"""Code of every rule that is not listed: the reader of a source may have rules of its own."""


def code_of(rule: str) -> str:
    """Return the code of a rule by its words; ``OWN`` for a rule that only one reader has."""
    for code, words in _CODES.items():
        if words == rule:
            return code
    for code, pattern in _FAMILIES.items():
        if re.fullmatch(pattern, rule):
            return code
    return OWN


def listed_rules() -> dict[str, str]:
    """Return every code with the words of its rule; what a contract fills in is shown as …."""
    families = {
        code: re.sub(r"\\S\+|\\d\+|\[\\d,\]\+|\.\+", "…", pattern)
        for code, pattern in _FAMILIES.items()
    }
    return _CODES | families | {OWN: "a rule of one source alone"}
