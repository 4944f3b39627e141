"""What the vendor says: dated, sourced facts in packs."""

from __future__ import annotations

from fleet.rulepack.difference import compare
from fleet.rulepack.facts import Fact, RulePack
from fleet.rulepack.loader import builtin_rulepacks, load_rulepack
from fleet.rulepack.schema import SCHEMA, FactType

__all__ = ["SCHEMA", "Fact", "FactType", "RulePack", "builtin_rulepacks", "compare", "load_rulepack"]
