"""Every rule on deliveries has a code of its own, which the suppliers' page lists."""

import ast
import re
from collections.abc import Iterator

from orchestration.config.settings import PROJECT
from orchestration.ingest.checking.contract import load_contracts
from orchestration.ingest.checking.remedies import _REMEDIES
from orchestration.ingest.checking.rule_codes import OWN, code_of, listed_rules
from orchestration.ingest.checking.rules import rules_of, warning_rules


def rules_in_the_code() -> Iterator[str]:
    """Yield each rule that is written out where a fault is made."""
    for path in (PROJECT / "orchestration" / "ingest").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Fault":
                named = [one.value for one in node.keywords if one.arg == "rule"]
                for given in (*node.args[:1], *named):
                    found = (one for one in ast.walk(given) if isinstance(one, ast.Constant))
                    yield from (str(one.value) for one in found if isinstance(one.value, str))
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                names = [one.id for one in node.targets if isinstance(one, ast.Name)]
                if any(name.endswith(("RULE", "_REPEATED")) for name in names):
                    yield str(node.value.value)


def test_every_rule_has_a_code() -> None:
    contracts = load_contracts().values()
    rules = {
        *rules_in_the_code(),
        *_REMEDIES,
        *(rule.name for one in contracts for column in one.columns for rule in rules_of(column)),
        *(rule.name for one in contracts for rule in warning_rules(one)),
    }
    assert len(rules) > 60
    assert {rule for rule in rules if code_of(rule) == OWN} == set()


def test_a_rule_of_one_reader_has_the_code_of_all_such() -> None:
    assert code_of("has a rule that nobody listed") == OWN == "X00"


def test_the_suppliers_page_lists_every_code() -> None:
    page = (PROJECT / "docs" / "suppliers.md").read_text()
    assert dict(re.findall(r"^\| ([A-Z]\d\d) \| (.+) \|$", page, re.M)) == listed_rules()


def test_rules_that_read_alike_have_codes_of_their_own() -> None:
    rules = [
        "is at most 110",
        "is at most 4,000 characters long",
        "is 9 characters long",
        "is a date",
    ]
    assert [code_of(rule) for rule in rules] == ["V13", "V12", "V14", "V06"]
    assert len(set(listed_rules().values())) == len(listed_rules())
