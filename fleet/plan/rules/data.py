"""Rules of the data: what a plan states is what follows from its decisions and its inventory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from fleet.inventory.inventory import DemandKey
from fleet.plan.placement import differs
from fleet.plan.plan import PLAN_TABLES, ActionRow, Finding
from fleet.plan.rows import (
    action_rows,
    assignment_rows,
    cluster_load_rows,
    cluster_rows,
    link_rows,
    period_rows,
    standby_rows,
)
from fleet.plan.rules.base import Evidence, Rule, finding
from fleet.tables import Row

#: Differences of one column that are spelled out before the rest is counted.
SPELLED_OUT = 20

#: Per table: the columns that identify a row, and those that must be as recomputed. Capacities, protection figures,
#: witnesses and costs have rules of their own.
_COMPARED: dict[str, tuple[tuple[str, ...], tuple[str, ...], Callable[[Evidence], Sequence[Row]]]] = {
    "periods": (("period",), ("month",), lambda evidence: period_rows(evidence.inventory)),
    "clusters": (("cluster",), ("opened",), lambda evidence: cluster_rows(evidence.context)),
    "cluster_loads": (
        ("cluster", "period", "resource"),
        ("load", "standby_reserve"),
        lambda evidence: cluster_load_rows(evidence.context),
    ),
    "assignments": (("workload", "site"), ("rtt_ms",), lambda evidence: assignment_rows(evidence.context)),
    "standbys": (("workload", "site"), ("cluster", "rtt_ms", "path"), lambda evidence: standby_rows(evidence.context)),
    "links": (
        ("link", "from_", "to", "period"),
        ("capacity_mbps", "upgraded", "normal_mbps", "worst_mbps", "worst_case"),
        lambda evidence: link_rows(evidence.normal, evidence.outcomes),
    ),
}


def _stated(evidence: Evidence) -> Iterator[Finding]:
    """DAT-001: round trips, paths and loads are as recomputed."""
    for table, (keys, columns, derive) in _COMPARED.items():
        stated = {_values(row, keys): row for row in getattr(evidence.document, table)}
        derived = {_values(row, keys): row for row in derive(evidence)}
        yield from _limited(_missing(table, stated.keys(), derived.keys()), table)
        for column in columns:
            yield from _limited(
                (
                    _difference(table, key, column, getattr(row, column), getattr(derived[key], column))
                    for key, row in stated.items()
                    if key in derived and _is_different(getattr(row, column), getattr(derived[key], column))
                ),
                f"{table}.{column}",
            )


def _values(row: Row, columns: Iterable[str]) -> tuple[object, ...]:
    return tuple(getattr(row, column) for column in columns)


def _missing(
    table: str, stated: Iterable[tuple[object, ...]], derived: Iterable[tuple[object, ...]]
) -> Iterator[Finding]:
    known, expected = set(stated), set(derived)
    for key in sorted(expected - known, key=str):
        yield finding("DAT-001", _name(key), f"has no row in {table}", "assemble the plan again")
    for key in sorted(known - expected, key=str):
        yield finding("DAT-001", _name(key), f"has a row in {table} that nothing asks for", "assemble the plan again")


def _name(key: tuple[object, ...]) -> str:
    return " ".join(str(part) for part in key)


def _is_different(stated: object, derived: object) -> bool:
    if isinstance(stated, float) and isinstance(derived, float):
        return differs(stated, derived)
    return stated != derived


def _difference(table: str, key: tuple[object, ...], column: str, stated: object, derived: object) -> Finding:
    return finding(
        "DAT-001",
        _name(key),
        f"{table} {column} stated as {stated}, recomputed {derived}",
        "assemble the plan again",
        stated if isinstance(stated, float) else None,
        derived if isinstance(derived, float) else None,
    )


def _limited(findings: Iterable[Finding], what: str) -> Iterator[Finding]:
    """The first findings, and one that counts the rest."""
    hidden = 0
    for number, found in enumerate(findings):
        if number < SPELLED_OUT:
            yield found
        else:
            hidden += 1
    if hidden:
        yield finding("DAT-001", what, f"{hidden} more rows differ in the same way", "assemble the plan again")


def _references(evidence: Evidence) -> Iterator[Finding]:
    """DAT-002: everything that a row names exists, once."""
    document, inventory = evidence.document, evidence.inventory
    clusters = {row.cluster for row in document.clusters}
    known: dict[str, Callable[[Row], Iterator[tuple[str, str, bool]]]] = {
        "cluster": lambda row: _named("cluster", getattr(row, "cluster", ""), clusters),
        "standby": lambda row: _named("cluster", getattr(row, "standby", ""), clusters),
        "node_model": lambda row: _named("node model", getattr(row, "node_model", ""), inventory.node_model_by_name),
        "link": lambda row: _named("link", getattr(row, "link", ""), evidence.context.wan.links),
        "site": lambda row: _named("site", getattr(row, "site", ""), inventory.site_by_name),
        "workload": lambda row: _demand(row, inventory.demand_by_key),
        "period": lambda row: _period(row, len(inventory.periods)),
    }
    for table, row_type in PLAN_TABLES.items():
        if table == "findings":
            continue
        checks = [check for column, check in known.items() if column in row_type.model_fields]
        for number, row in enumerate(getattr(document, table), start=1):
            for check in checks:
                for kind, name, exists in check(row):
                    if not exists and not _is_retired(evidence, row, kind, name):
                        yield finding(
                            "DAT-002",
                            f"{table} row {number}",
                            f"names the {kind} {name!r}, which does not exist",
                            "correct the name",
                        )
    yield from _duplicates(evidence)


def _named(kind: str, name: str, known: Iterable[str]) -> Iterator[tuple[str, str, bool]]:
    if name:
        yield kind, name, name in known


def _demand(row: Row, known: Iterable[DemandKey]) -> Iterator[tuple[str, str, bool]]:
    key = DemandKey(getattr(row, "workload", ""), getattr(row, "site", ""))
    yield "demand", f"{key.workload} at {key.site}", key in known


def _period(row: Row, count: int) -> Iterator[tuple[str, str, bool]]:
    period = getattr(row, "period", 0)
    yield "period", str(period), 0 <= period < count


def _is_retired(evidence: Evidence, row: Row, kind: str, name: str) -> bool:
    """Whether an action closes an existing cluster that is no longer in the plan."""
    return (
        isinstance(row, ActionRow)
        and row.action == "close"
        and kind == "cluster"
        and name in evidence.context.decisions.retired
    )


_UNIQUE = {
    "periods": ("period",),
    "clusters": ("cluster",),
    "cluster_periods": ("cluster", "period"),
    "cluster_loads": ("cluster", "period", "resource"),
    "standbys": ("workload", "site"),
    "links": ("link", "from_", "to", "period"),
    "unserved": ("workload", "site"),
}


def _duplicates(evidence: Evidence) -> Iterator[Finding]:
    for table, keys in _UNIQUE.items():
        count = Counter(_values(row, keys) for row in getattr(evidence.document, table))
        for key, number in count.items():
            if number > 1:
                yield finding("DAT-002", _name(key), f"has {number} rows in {table}", "leave one", number, 1, "rows")


def _hash(evidence: Evidence) -> Iterator[Finding]:
    """DAT-003: the plan was made from this inventory."""
    stated, actual = evidence.document.inventory.sha256, evidence.inventory.sha256
    if stated != actual:
        yield finding(
            "DAT-003",
            evidence.inventory.name or "inventory",
            f"the plan was made from an inventory with hash {stated[:12]}…, this one has {actual[:12]}…",
            "plan again, or audit with the inventory that the plan was made from",
        )
    if evidence.document.generator.rule_pack != evidence.pack.name:
        yield finding(
            "DAT-003",
            "rule pack",
            f"the plan was made with {evidence.document.generator.rule_pack!r}, the inventory asks for "
            f"{evidence.pack.name!r}",
            "plan again",
        )


def _action_list(evidence: Evidence) -> Iterator[Finding]:
    """DAT-004: actions and their costs are those of the decision."""
    keys = ("period", "action", "cluster", "site", "link", "detail")
    stated = {_values(row, keys): row.cost for row in evidence.document.actions}
    derived = {_values(row, keys): row.cost for row in action_rows(evidence.context, evidence.costs)}
    for key in sorted(stated.keys() | derived.keys(), key=str):
        name = " ".join(str(part) for part in key[:5] if part != "")
        if key not in stated:
            yield finding("DAT-004", name, f"is not among the actions: {key[5]}", "assemble the plan again")
        elif key not in derived:
            yield finding("DAT-004", name, f"does not follow from the decision: {key[5]}", "assemble the plan again")
        elif differs(stated[key], derived[key]):
            yield finding(
                "DAT-004",
                name,
                f"cost stated as {stated[key]:,.2f}, recomputed {derived[key]:,.2f}",
                "assemble the plan again",
                stated[key],
                derived[key],
                evidence.inventory.policy.currency,
            )


RULES = (
    Rule(
        "DAT-001",
        "stated values",
        "Round trips, paths, loads and worst cases are as recomputed from the inventory.",
        "inventory of the plan",
        "error",
        "none needed: rows are derived from the decision",
        _stated,
    ),
    Rule(
        "DAT-002",
        "references",
        "Everything that a plan names exists, and is listed once.",
        "plan format",
        "error",
        "none needed: rows are derived from the decision",
        _references,
    ),
    Rule(
        "DAT-003",
        "inventory hash",
        "The inventory and rule pack are those that the plan was made from.",
        "plan format",
        "error",
        "none needed: it judges the file",
        _hash,
    ),
    Rule(
        "DAT-004",
        "actions",
        "Actions and their costs are those of the decision.",
        "plan format",
        "error",
        "none needed: rows are derived from the decision",
        _action_list,
    ),
)
