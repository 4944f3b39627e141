"""What the vendor says: dated, sourced facts in packs."""

from __future__ import annotations

from fleet.rulepack.compare import compare
from fleet.rulepack.loader import Fact, RulePack, builtin_rulepacks, load_rulepack
from fleet.rulepack.schema import SCHEMA, FactType

__all__ = ["SCHEMA", "Fact", "FactType", "RulePack", "builtin_rulepacks", "compare", "load_rulepack"]
