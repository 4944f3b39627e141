"""Pins: decisions that the planner has taken already."""

from __future__ import annotations

from typing import Literal

from fleet.tables import InputRow, Text, column

PinDecision = Literal["open", "close", "assign", "standby", "node_model", "nodes", "link_upgrade", "forbid"]


class Pin(InputRow):
    """One decision taken by hand, with its reason and owner.

    ``open``/``close`` a site; ``assign`` a workload's demand (all of its demands where `site` is blank) to the
    cluster or host site in `value`; ``standby`` the same for its standby; ``node_model`` and ``nodes`` (at least)
    fix what stands at `site` or `cluster` in `value`, from `period` on; ``link_upgrade`` upgrades `link` from
    `period` on (value yes) or never (value no); ``forbid`` keeps a workload (all where blank) off the site in `value`.
    """

    decision: PinDecision = column(meaning="what is decided")
    workload: Text = column("", meaning="workload that it concerns")
    site: Text = column("", meaning="site of the demand, or site that opens, closes or is sized")
    link: Text = column("", meaning="link that is upgraded")
    cluster: Text = column("", meaning="cluster that is sized")
    period: int | None = column(None, meaning="period from which it holds; all where blank", ge=0)
    value: Text = column("", meaning="target: host site or cluster, node model, node count, yes or no")
    reason: Text = column("", meaning="why")
    owner: Text = column("", meaning="who decided")
