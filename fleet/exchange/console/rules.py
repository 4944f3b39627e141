"""What plans are judged by, with the values in force: the rules of the audit, then every fact of a rule pack."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from fleet.inventory.inventory import INPUT_TABLES
from fleet.inventory.tables.policy import Policy
from fleet.rulepack import SCHEMA, Fact, RulePack
from fleet.rulepack.difference import shown
from fleet.tables import describe

#: Columns of the printed table; JSON rows have more.
COLUMNS = ("id", "statement", "value", "source")
_WORD = re.compile(r"[a-z_]+(?:\.[a-z_]+)+|[a-z_]+")


def rule_rows(pack: RulePack) -> list[dict[str, str]]:
    """Rules, then facts, as rows ``{id, severity, name, statement, value, source, date, encoder}``.

    The value of a rule is that of the facts and policy keys which its source names; policy values are the defaults. The
    value of a fact is the pack's, with what other official pages say where they disagree.

    Parameters
    ----------
    pack : RulePack
        Where the values come from.
    """
    from fleet.plan.rules import RULES

    defaults = {entry.name: (entry.default, entry.unit) for entry in describe(Policy)}
    rules = [
        {
            "id": rule.id,
            "severity": rule.severity,
            "name": rule.name,
            "statement": rule.statement,
            "value": _value(rule.source, pack, defaults),
            "source": rule.source,
            "date": "",
            "encoder": rule.encoder,
        }
        for rule in RULES
    ]
    facts = [
        {
            "id": fact.key,
            "severity": "",
            "name": SCHEMA[fact.key].effect,
            "statement": fact.statement,
            "value": fact_value(fact),
            "source": f"{fact.source} ({fact.date})",
            "date": str(fact.date),
            "encoder": "",
        }
        for fact in pack.facts.values()
    ]
    return rules + facts


def fact_value(fact: Fact) -> str:
    """The value of a fact with its unit on one line; tables of wide rows are counted."""
    text = _table(fact.value, fact.unit) if isinstance(fact.value, Mapping) else shown(fact.value, fact.unit)
    others = " or ".join(shown(value, fact.unit) for value in fact.alternatives)
    return f"{text} (also published: {others})" if others else text


def _table(rows: Mapping[str, Any], unit: str) -> str:
    if any(isinstance(row, Mapping) and len(row) > 2 for row in rows.values()):
        return f"{len(rows)} rows: {', '.join(rows)}"
    return "; ".join(f"{name}: {shown(row, unit)}" for name, row in rows.items())


def _value(source: str, pack: RulePack, defaults: Mapping[str, tuple[Any, str]]) -> str:
    """What the parts of a source that name facts or policy keys stand for."""
    found = "; ".join(_values(source, pack, defaults))
    is_stated = any(part.strip().split(" ")[0] in INPUT_TABLES for part in source.split(";"))
    return found or ("as stated in the inventory" if is_stated else "holds always")


def _values(source: str, pack: RulePack, defaults: Mapping[str, tuple[Any, str]]) -> Iterator[str]:
    for part in source.split(";"):
        words = _WORD.findall(part)
        for word in words:
            if word in pack.facts:
                yield f"{word} {fact_value(pack.facts[word])}"
            elif words[0] == "policy" and word in defaults:
                default, unit = defaults[word]
                yield f"{word} {'none' if default is None else shown(default, unit)} unless the policy says otherwise"
