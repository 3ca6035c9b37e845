"""The remedy for each rule: one sentence for the supplier, from the contract where it helps.

The message of a rule is written where the rule is checked; the remedies are only here.
"""

import re

from orchestration.ingest.checking.contract import Column, Contract
from orchestration.ingest.checking.faults import Fault

SEVERITIES = {
    "submission": "Delivery refused",
    "record": "Row refused",
    "warning": "Warning",
}
"""What a report calls each severity."""

_REMEDIES = {
    "says which force it is of": (
        "Name the file as data.police.uk does: YYYY-MM-<force>-stop-and-search.csv."
    ),
    "a month comes once": "Send each month once: leave out the file that is not wanted.",
    "a part is no more than its whole": "Correct the part or its whole in this row.",
    "a year comes once": "Leave one sheet a year, named after it.",
    "can be opened": "Open the file in a spreadsheet program, save it without a password, and "
    "send it again.",
    "can be read": "Save the file again as the agreed kind and send it again.",
    "columns are named once": "Leave one of the columns of this heading.",
    "every cell is read": "Open the workbook in a spreadsheet program, save it, and send it again.",
    "every column has a heading": "Put a heading above the values, or take them out.",
    "every line is a row": "Take line breaks out of the values.",
    "every row is accounted for": "Leave the table alone on its sheet, with its notes below it.",
    "few rows are wrong": "Correct the rows that are listed, then send the whole delivery again.",
    "has a file to read": "Send the files of this source, as they are or in one zip archive.",
    "has a header": "Put the agreed headings in one row above the data.",
    "has a plain name": "Give the file a name of letters, digits, spaces, dots and hyphens.",
    "has a survey period": "Put 'Survey period' above the header, with its first and last day.",
    "has the form of its force or service": "Write the number as the force or service does. If it "
    "has a new form, correct [[force_areas.number_formats]] in the partnerships file.",
    "has commas between values": "Save the file as CSV with commas.",
    "has every column": "Put the column back under the agreed heading; leave it in even where it "
    "is empty.",
    "has a boundary": "Download the boundaries as GeoJSON in WGS 84 (EPSG:4326).",
    "has line ends": "Save the file as CSV (UTF-8) with Windows or Unix line ends.",
    "has no empty rows": "Delete the empty rows below the table.",
    "has no hidden columns": "Show the columns, or delete them if they are not meant to be sent.",
    "has no hidden rows": "Show the rows, or delete them if they are not meant to be sent.",
    "has no hidden sheet": "Show the sheet, or delete it if it is not meant to be sent.",
    "has no merged cells": "Unmerge the cells and fill in the value in every one of them.",
    "has no time of day": "Send the day alone, if the time is not meant.",
    "has no unknown column": "Leave the column out, or agree it with the partnership.",
    "has no unknown sheet": "Leave the sheet out, or agree it with the partnership.",
    "has nothing beside its table": "Check that the rows are notes. A row of the table needs its "
    "code and its values.",
    "has rows": "Send the file with its rows.",
    "has the sheet": "Name the sheet as agreed, or send the right workbook.",
    "holds no identifier": "Write the name or the title alone, without anything about a person.",
    "holds no spreadsheet error": "Correct the formula, or put the value itself into the cell.",
    "is GeoJSON": "Send the boundaries again as the portal issues them.",
    "is UTF-8": "Save the file as CSV (UTF-8).",
    "is a CSV": "Save the file as CSV (UTF-8).",
    "is a date": "Put a date into the cell.",
    "is a known lookup": "Send the lookup as the Open Geography portal issues it.",
    "is a police force": "Write the force as data.police.uk names it in 'Reported by'. Serve a new "
    "force in the partnerships file.",
    "is a plain file": "Send the file itself, not a link to it.",
    "is a number": "Write the number alone: digits, no thousands separator, no unit, no words.",
    "is a row of the table": "Give the line as many values as the header; put values that hold "
    "commas in quotation marks.",
    "is a whole number": "Write a whole number: digits alone, 0 where there was none.",
    "is new": "Send this quarter's files.",
    "is not blank": "Fill in the value. In a merged cell only the first counts as filled in.",
    "is not locked": "Send the workbook without a password.",
    "is of a known edition": "Send the edition that is known, or tell the data engineer of the "
    "new one.",
    "is of a reasonable size": "Send the table alone, without empty formatted rows and columns.",
    "is of the agreed kind": "Leave the file out, or send it in the agreed kind.",
    "is one day": "Write the day alone, without a time.",
    "is read by a source": "Leave the files out, if they are not meant.",
    "is whole": "Send the file again; compare its size with the original's.",
    "key is unique": "Leave one of the rows. Where they differ, leave the right one.",
    "matches its receipt": "Land the delivery again with `csp land`.",
    "not empty": "Send the file again.",
    "quotes are closed": "Close the quotation mark, or double it where it belongs to the text.",
    "says its prison and period": "Put the label and its value beside each other above the table.",
    "says its year": "Put the year into the title, such as mid-2022.",
    "says what it is of": "Put the label and its value beside each other above the header.",
    "the decile agrees with the rank": "Send the file as published: ranks and deciles are of all "
    "small areas of England.",
    "the total adds up": "Correct the total or the figures of this row.",
    "value is unique": "Send the file as published. Where two rows share the value, correct the "
    "wrong one.",
}
_ANYTHING_ELSE = "Correct the value and send the delivery again."
_DATE_PARTS = {"%d": "dd", "%m": "mm", "%Y": "yyyy", "%y": "yy"}


def date_form(column: Column) -> str:
    """Return a date format as people write it: ``dd/mm/yyyy``."""
    return re.sub("%[dmYy]", lambda part: _DATE_PARTS[part.group()], column.date_format)


_LISTED_LINES = {
    "town": '[[force_areas.towns]] name = "New Town" district_code = "E07000999"',
}
"""Lines of the partnerships file that list a value, by what it is."""


def _to_add(column: Column) -> str:
    """Return what to add to the partnerships file for a value that it is to list."""
    if column.listed is None:
        return ""
    return (
        f" Another {column.listed} is added to the partnerships file under its force area, by "
        f"lines such as {_LISTED_LINES[column.listed]}; then refresh again."
    )


def remedy_of(fault: Fault, contract: Contract) -> str:
    """Return how a supplier corrects ``fault``: by the contract of its column, else by its rule."""
    column = next((one for one in contract.columns if one.title == fault.column), None)
    return _remedy_of_value(fault.rule, column) or _REMEDIES.get(fault.rule, _ANYTHING_ELSE)


def _remedy_of_value(rule: str, column: Column | None) -> str | None:
    """Return the sentence of a rule on values, with what the contract allows."""
    if column is None:
        return None
    if rule == "is a known value" and column.allowed:
        blank = "" if column.required else ", or leave it blank"
        return f"Use one of: {'; '.join(column.allowed)}{blank}.{_to_add(column)}"
    if rule == "is a known value":
        return _to_add(column).strip() or None
    if rule == "has the right form":
        return f"Write {column.form}."
    if rule.startswith("is a date like"):
        return (
            f"Write the date as {date_form(column)}. A number such as 43281 is how a spreadsheet "
            "stores a date: format the column as text or as a date before saving."
        )
    if rule.startswith(("gives a plausible age", "is not after")):
        return "Check both dates and correct the wrong one."
    if rule.startswith(("is at least", "is at most")) and column.type != "VARCHAR":
        return "Check the figure against its source and correct it."
    if rule.endswith("long"):
        return f"Shorten or correct the value; it holds: {column.meaning}"
    return None
