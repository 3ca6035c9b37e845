"""The contract's record rules as SQL, so that checking a row costs no more than reading it.

Every rule is one condition over the text of one column. The same conditions decide which rows are
loaded, and name what is wrong with those that are not.
"""

from dataclasses import dataclass

from orchestration.ingest.contract import Column, Contract


@dataclass(frozen=True)
class Rule:
    """A condition that a row must meet, over the columns' text; ``name`` and ``message`` say it."""

    column: str
    name: str
    condition: str
    message: str


def literal(text: str) -> str:
    """Quote ``text`` as a SQL string."""
    return "'" + text.replace("'", "''") + "'"


def typed(column: Column) -> str:
    """Return the SQL expression that turns the column's text into its type (null if it cannot)."""
    if column.type == "VARCHAR":
        return column.name
    if column.type == "DATE":
        return f"try_strptime({column.name}, {literal(column.date_format)})::date"
    return f"try_cast({column.name} as {column.type})"


def rules_of(column: Column) -> list[Rule]:
    """Return the record rules of one column. An empty optional value breaks none of them."""
    rules = []
    title = column.header or column.name
    if column.required:
        rules.append(
            Rule(
                title,
                "is not blank",
                f"{column.name} is not null",
                "A value is needed here and there is none.",
            )
        )
    for name, condition, message in _value_rules(column):
        rules.append(Rule(title, name, f"({column.name} is null or {condition})", message))
    return rules


def _value_rules(column: Column) -> list[tuple[str, str, str]]:
    rules = []
    value = typed(column)
    if column.type != "VARCHAR":
        kind = f"a date like {column.date_format}" if column.type == "DATE" else "a number"
        rules.append((f"is {kind}", f"{value} is not null", f"This must be {kind}."))
    if column.pattern:
        rules.append(
            (
                "has the right form",
                f"regexp_full_match({column.name}, {literal(column.pattern)})",
                f"The value does not have the right form ({column.pattern}).",
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
    if column.allowed:
        values = ", ".join(literal(value) for value in column.allowed)
        rules.append(
            (
                "is a known value",
                f"{column.name} in ({values})",
                "The value is not one of those agreed in the contract.",
            )
        )
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


def acceptable(contract: Contract) -> str:
    """Return the SQL condition that a row breaks no rule."""
    conditions = [rule.condition for column in contract.columns for rule in rules_of(column)]
    return " and ".join(f"({condition})" for condition in conditions)


def broken_rules(contract: Contract) -> str:
    """Return a SQL list of structs, one for each rule that a row breaks.

    Fields: ``column_name``, ``value`` (null where the column is personal), ``rule``, ``message``.
    """
    faults = []
    for column in contract.columns:
        shown = "null" if column.personal else f"{column.name}::varchar"
        for rule in rules_of(column):
            fault = (
                f"struct_pack(column_name := {literal(rule.column)}, value := {shown}, "
                f"rule := {literal(rule.name)}, message := {literal(rule.message)})"
            )
            faults.append(f"case when not ({rule.condition}) then {fault} end")
    return f"list_filter([{', '.join(faults)}], lambda fault: fault is not null)"
