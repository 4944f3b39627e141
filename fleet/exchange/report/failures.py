"""What fails and what happens, as one self-contained HTML page: heat maps, table, recoveries, quorum."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from fleet.exchange.figures import counted
from fleet.exchange.files import write_text
from fleet.exchange.report.heat_map import count_color, count_legend, heat_map, use_color, use_legend, use_text
from fleet.exchange.report.templates import template
from fleet.failures.details import Survey, Uses, recovery_rows, remains_rows
from fleet.failures.incidents import Breaker
from fleet.failures.pairs import PairTally, harm
from fleet.failures.sweep import FailureRow
from fleet.plan.plan import Plan

#: Most rows and columns of a heat map, and most rows of a table.
MAP_ROWS, MAP_COLUMNS, SHOWN = 60, 40, 400


def verdict(rows: Sequence[FailureRow]) -> str:
    """What single failures say about the plan, in one sentence."""
    count, broken = sum(row.count for row in rows), sum(bool(row.broken_promises) for row in rows)
    lost = sum(bool(row.lost) for row in rows)
    if not broken:
        return f"{counted(count, 'element')} failed one at a time: every promise of the plan is kept."
    return (
        f"{counted(count, 'element')} failed one at a time: {broken:,} of {len(rows):,} failures break a promise, "
        f"{lost:,} lose protected demands."
    )


def pairs_verdict(tally: PairTally) -> str:
    """What pairs of failures do, in one sentence."""
    harmful = sum(tally.harmful.values())
    return (
        f"{counted(tally.total, 'pair')} of elements failed at once: {harmful:,} lose protected demands or break a "
        "limit. A plan promises to stand single failures; pairs tell what is left to chance."
    )


def write_single_page(plan: Plan, breaker: Breaker, found: Survey, path: Path) -> None:
    """Write the page of single failures, or of any incidents."""
    harmful = [row for row in found.rows if any(harm(row))]
    harmful.sort(key=lambda row: (*(-part for part in harm(row)), row.element))
    hit = [
        incident
        for incident in found.incidents
        if incident.outcome is not None or any(loss.nodes or loss.zones for loss in incident.losses.values())
    ]
    recoveries = [row for incident in hit for row in recovery_rows(breaker, incident)]
    remains = [row for incident in found.incidents for row in remains_rows(breaker, incident)]
    _write(
        plan,
        path,
        {
            "verdict": verdict(found.rows),
            "is_kept": not any(row.broken_promises for row in found.rows),
            "maps": [entry for entry in (cluster_map(breaker, found), link_map(breaker, found)) if entry],
            "table_title": "What somebody notices, the worst first",
            "rows": harmful[:SHOWN],
            "hidden": max(0, len(harmful) - SHOWN),
            "recoveries": recoveries[:SHOWN],
            "hidden_recoveries": max(0, len(recoveries) - SHOWN),
            "remains": remains[:SHOWN],
            "hidden_remains": max(0, len(remains) - SHOWN),
        },
    )


def write_pairs_page(plan: Plan, tally: PairTally, path: Path) -> None:
    """Write the page of pairs of failures."""
    chart = pair_map(tally)
    _write(
        plan,
        path,
        {
            "verdict": pairs_verdict(tally),
            "is_kept": not tally.lost,
            "maps": [chart] if chart else [],
            "table_title": "The worst pairs",
            "rows": tally.worst,
            "hidden": max(0, sum(tally.harmful.values()) - len(tally.worst)),
            "recoveries": [],
            "remains": [],
        },
    )


def cluster_map(breaker: Breaker, found: Survey, rows: int = MAP_ROWS) -> dict[str, Any] | None:
    """How full clusters get: the failures that change most by the clusters that get fullest."""
    chart = _use_map(found, found.cluster_use, [cluster.name for cluster in breaker.context.clusters], rows)
    if chart is None:
        return None
    return {
        "title": "How full clusters get",
        "note": "Share of the compute that may be used after a failover: own load and what moves in, in the fullest "
        "resource and period.",
        "legend": use_legend(),
        "chart": chart,
    }


def link_map(breaker: Breaker, found: Survey, rows: int = MAP_ROWS) -> dict[str, Any] | None:
    """How full links get: the failures that change most by the links that get fullest."""
    chart = _use_map(found, found.link_use, list(breaker.context.links), rows)
    if chart is None:
        return None
    return {
        "title": "How full links get",
        "note": "Share of the usable bandwidth in the fuller direction and fullest period, by user traffic and "
        "replication together.",
        "legend": use_legend(),
        "chart": chart,
    }


def _use_map(found: Survey, uses: Uses, names: Sequence[str], rows: int) -> Markup | None:
    """The elements that change most as rows, the names that get fullest as columns."""
    changes, peaks = uses.changes(), uses.peaks()
    order = np.argsort(-changes, kind="stable")[:rows].tolist()
    chosen = sorted(place for place in order if changes[place] > 1e-9 or len(changes) == 1)
    columns = sorted(np.argsort(-peaks, kind="stable")[:MAP_COLUMNS].tolist(), key=lambda place: names[place])
    if not chosen or not columns:
        return None
    return heat_map(
        [found.rows[place].element for place in chosen],
        [names[place] for place in columns],
        [uses.of(place)[columns].tolist() for place in chosen],
        use_color,
        use_text,
    )


def pair_map(tally: PairTally) -> dict[str, Any] | None:
    """Protected demands lost with every two of the elements that share in most losses; None where none are lost."""
    names = tally.most_involved(MAP_COLUMNS)
    if not names:
        return None
    most = max(tally.lost.values())
    values = [
        [float(tally.lost.get((row, column), tally.lost.get((column, row), 0))) for column in names] for row in names
    ]
    return {
        "title": "What two failures lose",
        "note": "Protected demands that are not restored when both elements are lost, for the "
        f"{counted(len(names), 'element')} that share in most losses.",
        "legend": count_legend(most, "demand lost"),
        "chart": heat_map(
            names,
            names,
            values,
            lambda value: count_color(value, most),
            lambda value: f"{value:,.0f} lost" if value else "none lost",
        ),
    }


def _write(plan: Plan, path: Path, parts: dict[str, Any]) -> None:
    document = plan.document
    context = {
        "name": document.inventory.name,
        "sha256": document.inventory.sha256,
        "hidden_recoveries": 0,
        "hidden_remains": 0,
        **parts,
    }
    write_text(path, template("failures.html.j2").render(context))
