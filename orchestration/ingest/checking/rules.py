"""The contract's record rules as SQL, so that checking a row costs no more than reading it.

Every rule is one condition over the text of one column. The same conditions decide which rows are
loaded, and name what is wrong with those that are not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestration.ingest.checking.contract import Column, Contract
from orchestration.ingest.checking.remedies import date_form
from orchestration.warehouse.sql_quoting import literal

ERROR_TEXT = (
    "#(N/?[ADV]|GETTING_DATA|[A-Za-z\u00c0-\u00de0-9/_\u00bf]{2,}[!?])|#{3,}|[Ee]rr ?:[0-9]{3}"
)
"""Regular expression of what a spreadsheet program shows for a value that it could not work out, in
the languages of its users; a row of number signs is a number that its column was too narrow for."""

ERROR_RULE = "holds no spreadsheet error"

NUMBER_FORM_RULE = "has the form of its force or service"

_MONTH = "(19[0-9]{2}|20[0-9]{2}|2100)-(0[1-9]|1[0-2])(-01([ T]00:00(:00)?)?)?"
"""A month of the years that a date may lie in, as text, or its first day at midnight."""

_ZONE = "(?:Z|[+-][0-9]{2}:?[0-9]{2})"
_TIME = f"[0-9]{{1,2}}:[0-9]{{2}}(?::[0-9]{{2}}(?:[.][0-9]+)?)?(?: ?[AaPp][Mm])?{_ZONE}?"
_DAY = f"^([^ T]+)(?:$|(?:T| +){_TIME}$)"
"""A day, with or without a time after it."""
_MIDNIGHT = f"(?:T| +)(?:0?0:00(?::00(?:[.]0+)?)?|12:00(?::00)? ?[Aa][Mm]){_ZONE}?$"
# A midnight of summer time is 23:00 of the day before by the clock of the rest of the year.
_OTHER_DAY = f"(?:T| )(?:23:00(?::00(?:[.]0+)?)?|11:00(?::00)? ?[Pp][Mm]|23:.*{_ZONE})$"

OLDEST = 110
"""Age in years above which a date of birth cannot be right, unless a contract says otherwise."""

_LONGEST = 1_000
"""Most characters of a wrong value that are read from its table."""


@dataclass(frozen=True)
class Rule:
    """A condition that a row must meet, over the columns' text; ``name`` and ``message`` say it.

    The condition is null where it does not apply, as there is no value; only false breaks it.
    """

    column: Column
    name: str
    condition: str
    message: str


def typed(column: Column, contract: Contract) -> str:
    """Return the SQL expression that turns the column's text into its type (null if it cannot).

    A derived column is the first day of the period that holds the date that it derives from, or
    the age at an event; an identifier is its pseudonym.
    """
    if column.identifier:
        return pseudonym(column)
    if column.derived_from:
        origin = as_type(_named(contract, column.derived_from))
        if column.age_on:
            return _age(column, contract, origin)
        return f"date_trunc('{column.derived_to}', {origin})::date"
    return as_type(column)


def pseudonym(column: Column) -> str:
    """Return the name of the column that holds an identifier's pseudonym while loading."""
    return f"_pseudonym_of_{column.name}"


def _named(contract: Contract, name: str) -> Column:
    (column,) = (one for one in contract.columns if one.name == name)
    return column


def _age(column: Column, contract: Contract, born: str) -> str:
    """Return the SQL expression of whole years from birth to the event; null if not plausible.

    Where the row has no date of birth, or none that can be right, the first one in the delivery
    under the same identifier is taken: the first of ``same_person`` that gives one. A later
    identifier does only where its rows have no two values of an earlier one.
    """
    event = as_type(_named(contract, str(column.age_on)))
    usable = f"case when {_is_plausible(_years(born, event), column)} then {born} end"
    names = [pseudonym(_named(contract, one)) for one in column.same_person]
    others = [
        f"case when {_is_one_person(name, names[:place], contract)} then "
        f"arg_min({usable}, (_file_id, _line)) over ({_of(name, contract)}) end"
        for place, name in enumerate(names)
    ]
    years = _years(f"coalesce({', '.join([usable, *others])})" if others else born, event)
    return f"case when {_is_plausible(years, column)} then {years} end"


def _is_one_person(name: str, surer: Sequence[str], contract: Contract) -> str:
    """Return the SQL condition that rows of an identifier have one value of each surer one."""
    over = f"over ({_of(name, contract)})"
    alike = [f"min({one}) {over} is not distinct from max({one}) {over}" for one in surer]
    return " and ".join([f"{name} is not null", *alike])


def _of(name: str, contract: Contract) -> str:
    return f"partition by {_series(contract)}{name}"


def _years(born: str, event: str) -> str:
    """Return the SQL expression of whole years between two dates; negative if born after it."""
    return f"(date_part('year', age({event}, {born})) - ({born} > {event})::integer)::integer"


def _is_plausible(years: str, column: Column) -> str:
    return f"{years} between {column.minimum or 0:g} and {_greatest_age(column):g}"


def _greatest_age(column: Column) -> float:
    return OLDEST if column.maximum is None else column.maximum


def _series(contract: Contract) -> str:
    return "".join(f"{name}, " for name in contract.series)


def as_type(column: Column) -> str:
    """Return the SQL expression that turns a column's text into its type; null if it cannot."""
    if column.type == "VARCHAR":
        return _listed(column) if column.otherwise else column.name
    if column.type == "DATE" and column.date_format == "%Y-%m":
        # A date as DuckDB itself writes it is read twice as fast as one of a format.
        return f"try_cast({column.name}[:7] || '-01' as date)"
    if column.type == "DATE":
        return _day(column.name, column)
    return f"try_cast({column.name} as {column.type})"


def _listed(column: Column) -> str:
    """Return the SQL expression of a value, or of what is kept in place of one not listed."""
    values = ", ".join(literal(value) for value in column.allowed or ())
    name, otherwise = column.name, literal(str(column.otherwise))
    return f"case when {name} is null or {name} in ({values}) then {name} else {otherwise} end"


def _day(name: str, column: Column) -> str:
    """Return the SQL expression of the day that a text gives, in the column's form or as ISO does.

    A time after it is left out. Day, month and year are read in a column of ISO form too.
    """
    if "%d" not in column.date_format:
        return f"try_strptime({name}, {literal(column.date_format)})::date"
    forms = dict.fromkeys([column.date_format, "%Y-%m-%d", "%d/%m/%Y"])
    formats = ", ".join(literal(form) for form in forms)
    return f"try_strptime(regexp_extract({name}, {literal(_DAY)}, 1), [{formats}])::date"


def rules_of(column: Column) -> list[Rule]:
    """Return the record rules of one column. An empty optional value breaks none of them."""
    rules = []
    if column.required:
        rules.append(
            Rule(
                column,
                "is not blank",
                f"{column.name} is not null",
                "A value is needed here and there is none.",
            )
        )
    return rules + [Rule(column, *rule) for rule in _value_rules(column)]


_ValueRule = tuple[str, str, str]
"""Name, condition and message of a rule on a value that is there."""


def _value_rules(column: Column) -> list[_ValueRule]:
    # What looks at the text, or at the number, is null where there is none, without being asked.
    guarded = [
        (name, f"({column.name} is null or {condition})", message)
        for name, condition, message in _type_rules(column)
    ]
    return [*guarded, *_text_rules(column), *_range_rules(column)]


def _type_rules(column: Column) -> list[_ValueRule]:
    value = as_type(column)
    if column.type == "VARCHAR":
        return []
    if column.type == "DATE":
        kind = f"a date like {date_form(column)}"
        if column.date_format == "%Y-%m":
            # One look at the text does for its form too, at a third of the price of reading it.
            month = f"regexp_full_match({column.name}, {literal(_MONTH)})"
            return [(f"is {kind}", month, f"This must be {kind}.")]
        # A year of two digits reads as one of the first century.
        day = f"coalesce({value} between date '1900-01-01' and date '2100-12-31', false)"
        return [(f"is {kind}", day, f"This must be {kind}."), *_one_day(column)]
    number = ("is a number", f"{value} is not null", "This must be a number.")
    if column.type == "DOUBLE":
        bounded = column.minimum is not None and column.maximum is not None
        finite = f"coalesce(isfinite({value}), false)"
        return [number if bounded else (number[0], finite, number[2])]
    # DuckDB would round 1.5 and read 0x1A and 1_000.
    whole = f"({value} is null or regexp_full_match(trim({column.name}), '[+-]?[0-9]+'))"
    return [number, ("is a whole number", whole, "This must be a whole number, in digits.")]


def _one_day(column: Column) -> list[_ValueRule]:
    if not _has_days(column):
        return []
    return [
        (
            "is one day",
            f"not regexp_matches({column.name}, {literal(_OTHER_DAY)})",
            "At 23:00 it may be the next day already, by another clock. Send the day alone.",
        )
    ]


def _has_days(column: Column) -> bool:
    return column.type == "DATE" and "%d" in column.date_format


def _text_rules(column: Column) -> list[_ValueRule]:
    rules = []
    if column.pattern:
        rules.append(
            (
                "has the right form",
                f"regexp_full_match({column.name}, {literal(column.pattern)})",
                f"The value does not have the right form ({column.form}).",
            )
        )
    if column.length:
        rules.append(
            (
                f"is {column.length} characters long",
                f"length({column.name}) = {column.length}",
                f"The value must be {column.length} characters long.",
            )
        )
    if column.allowed or (column.listed and column.allowed is not None):
        values = ", ".join(literal(value) for value in column.allowed)
        rules.append(
            (
                "is a known value",
                f"({elsewhere(column)} or {_is_listed(column)})"
                if column.listed
                else f"{column.name} in ({values})",
                f"The value is no {column.listed} that the partnerships file lists, as others of "
                "the delivery are."
                if column.listed
                else "The value is not one of those agreed in the contract.",
            )
        )
    if column.type == "VARCHAR" and not rules:
        rules.append(
            (
                f"is at most {column.longest:,} characters long",
                f"strlen({column.name}) <= {column.longest}",
                f"The value is longer than {column.longest:,} characters.",
            )
        )
    return rules


def _is_listed(column: Column) -> str:
    """Return the SQL condition that a value is one that the partnerships file lists."""
    values = ", ".join(literal(value) for value in column.allowed or ())
    return f"{column.name} in ({values})" if values else "false"


def elsewhere(column: Column) -> str:
    """Return the name of the column that says whether a row is of a series without listed values.

    Such a series is of another place than those served: it is loaded, and counted nowhere.
    """
    return f"_elsewhere_by_{column.name}"


def elsewhere_columns(contract: Contract) -> str:
    """Return the SQL list items that make those columns; empty where nothing is listed."""
    series = ", ".join(contract.series) or "1"
    return "".join(
        f", not coalesce(bool_or({_is_listed(column)}) over (partition by {series}), false) "
        f"as {elsewhere(column)}"
        for column in contract.columns
        if column.listed and column.allowed is not None
    )


def _range_rules(column: Column) -> list[_ValueRule]:
    value = as_type(column)
    rules = []
    if column.minimum is not None:
        rules.append(
            (
                f"is at least {column.minimum:g}",
                f"{value} >= {column.minimum}",
                f"The value must be {column.minimum:g} or more.",
            )
        )
    if column.maximum is not None:
        rules.append(
            (
                f"is at most {column.maximum:g}",
                f"{value} <= {column.maximum}",
                f"The value must be {column.maximum:g} or less.",
            )
        )
    return rules


def _all_rules(column: Column, contract: Contract) -> list[Rule]:
    return [*rules_of(column), *_number_form_rules(column, contract)]


def _number_form_rules(column: Column, contract: Contract) -> list[Rule]:
    """Return the rule of each form that a force or service has for its own numbers."""
    named = f"lower(trim(regexp_replace({contract.coverage.named}, '\\s+', ' ', 'g')))"
    return [
        Rule(
            column,
            NUMBER_FORM_RULE,
            f"({column.name} is null or {named} is distinct from lower({literal(one.name)}) "
            f"or regexp_full_match({column.name}, {literal(one.pattern)}))",
            f"The value does not have the form that '{one.name}' gives its numbers ({one.form}).",
        )
        for one in column.number_forms
    ]


def _record_rules(contract: Contract) -> list[Rule]:
    """Return the rules that refuse a row. A blank is never only a warning."""
    rules = [rule for column in contract.columns for rule in _all_rules(column, contract)]
    kept = [
        rule for rule in rules if rule.column.severity == "record" or rule.name == "is not blank"
    ]
    return kept + [_error_cell_rule(column) for column in contract.columns if _takes_any(column)]


def warning_rules(contract: Contract) -> list[Rule]:
    """Return the rules that a row may break and be loaded."""
    rules = [rule for column in contract.columns for rule in _all_rules(column, contract)]
    mild = [
        rule for rule in rules if rule.column.severity == "warning" and rule.name != "is not blank"
    ]
    mild += [rule for column in contract.columns for rule in _order_rules(column, contract)]
    if contract.layout == "csv":  # whose months are seen as dates where warnings are looked for
        return mild
    return mild + [_time_of_day_rule(column) for column in contract.columns if _has_days(column)]


def _order_rules(column: Column, contract: Contract) -> list[Rule]:
    """Return the rules on a date beside another: an age that can be right, an order of events."""
    if column.derived_to == "age":
        born = _named(contract, str(column.derived_from))
        event = _named(contract, str(column.age_on))
        condition = _is_plausible(_years(as_type(born), as_type(event)), column)
        message = (
            f"The age on '{event.title}' would lie below {column.minimum or 0:g} or above "
            f"{_greatest_age(column):g} years, so no age is recorded for the row."
        )
        return [Rule(born, f"gives a plausible age on {event.title}", condition, message)]
    if column.not_after:
        later = _named(contract, column.not_after)
        condition = f"{as_type(column)} <= {as_type(later)}"
        message = f"The date lies after '{later.title}'."
        return [Rule(column, f"is not after {later.title}", condition, message)]
    return []


def _takes_any(column: Column) -> bool:
    """Say whether an error's text would pass the column's other rules, or only be warned about."""
    bounded = column.pattern or column.allowed or column.length
    return column.type == "VARCHAR" and (column.severity == "warning" or not bounded)


def _time_of_day_rule(column: Column) -> Rule:
    # Of a text without a colon there is nothing to look at.
    name = column.name
    return Rule(
        column,
        "has no time of day",
        f"({name} is null or not contains({name}, ':') "
        f"or regexp_matches({name}, {literal(_MIDNIGHT)}))",
        "The value has a time of day beside its day; the day is read.",
    )


def _error_cell_rule(column: Column) -> Rule:
    # Nearly no value starts like an error, so nearly none is compared with the expression.
    name, error = column.name, literal(ERROR_TEXT)
    return Rule(
        column,
        ERROR_RULE,
        f"(case when starts_with({name}, '#') or starts_with(lower({name}[:3]), 'err') "
        f"then not regexp_full_match({name}, {error}) else true end)",
        "The cell holds an error of the spreadsheet program, not a value.",
    )


def acceptable(contract: Contract) -> str:
    """Return the SQL condition that a row breaks no rule for which it would be refused.

    It is never null: only false breaks a rule, and a blank where there may be none is false.
    """
    # A condition for each rule, where one for all would be worked out in full for every row.
    conditions = " and ".join(
        f"({rule.condition})" if rule.column.required else f"(({rule.condition}) is not false)"
        for rule in _record_rules(contract)
    )
    return f"({conditions})"


def found(column: Column) -> str:
    """Return the SQL expression of a wrong value as it was found, cut where it is very long.

    ``shown_texts`` decides what of it may be shown.
    """
    return f"left({column.name}, {_LONGEST})"


def broken_rules(contract: Contract, further: Rule | None = None) -> str:
    """Return a SQL list of structs, one for each rule (and a further one) that refuses a row.

    Fields: ``column_name``, ``value`` (as it was found), ``rule``, ``message``.
    """
    faults = []
    for rule in [*_record_rules(contract), *([further] if further else [])]:
        fault = (
            f"struct_pack(column_name := {literal(rule.column.title)}, "
            f"value := {found(rule.column)}::varchar, "
            f"rule := {literal(rule.name)}, message := {literal(rule.message)})"
        )
        faults.append(f"case when not ({rule.condition}) then {fault} end")
    return f"list_filter([{', '.join(faults)}], lambda fault: fault is not null)"
