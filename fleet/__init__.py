"""Fleet plans Azure Local fleets over many sites: where clusters stand, what they are made of, what runs on them.

Importing it is cheap: each name below loads its room on first use.

Examples
--------
>>> import fleet
>>> inventory = fleet.synthetic(sites=6, hubs=2, seed=1)
>>> len(inventory.host_sites) >= 2
True
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from fleet.lazy import loader
from fleet.version import __version__ as __version__

if TYPE_CHECKING:
    from fleet.errors import ExportError as ExportError
    from fleet.errors import FleetError as FleetError
    from fleet.errors import InventoryError as InventoryError
    from fleet.errors import PlanError as PlanError
    from fleet.errors import Problem as Problem
    from fleet.errors import ScenarioError as ScenarioError
    from fleet.exchange.examples import copy_example as copy_example
    from fleet.exchange.geojson import to_geojson as to_geojson
    from fleet.exchange.maps.page import to_map as to_map
    from fleet.exchange.plan_json import inventory_schema as inventory_schema
    from fleet.exchange.plan_json import plan_schema as plan_schema
    from fleet.exchange.plan_json import read_plan as read_plan
    from fleet.exchange.plan_json import write_plan as write_plan
    from fleet.exchange.readers import from_frames as from_frames
    from fleet.exchange.readers import read as read
    from fleet.exchange.report.page import to_report as to_report
    from fleet.exchange.workbook.tables import to_csv as to_csv
    from fleet.exchange.workbook.tables import to_excel as to_excel
    from fleet.failures.sweep import lose as lose
    from fleet.failures.sweep import sweep_pairs as sweep_pairs
    from fleet.failures.sweep import sweep_single as sweep_single
    from fleet.inventory.inventory import DemandKey as DemandKey
    from fleet.inventory.inventory import Inventory as Inventory
    from fleet.inventory.scenario import apply_scenario as apply_scenario
    from fleet.inventory.scenario import read_scenarios as read_scenarios
    from fleet.inventory.synthetic import synthetic as synthetic
    from fleet.plan.audit import audit as audit
    from fleet.plan.plan import Plan as Plan
    from fleet.rulepack import load_rulepack as load_rulepack

#: Public names and the modules that define them.
_HOMES = {
    "ExportError": "fleet.errors",
    "FleetError": "fleet.errors",
    "InventoryError": "fleet.errors",
    "PlanError": "fleet.errors",
    "Problem": "fleet.errors",
    "ScenarioError": "fleet.errors",
    "DemandKey": "fleet.inventory.inventory",
    "Inventory": "fleet.inventory.inventory",
    "Plan": "fleet.plan.plan",
    "apply_scenario": "fleet.inventory.scenario",
    "audit": "fleet.plan.audit",
    "copy_example": "fleet.exchange.examples",
    "from_frames": "fleet.exchange.readers",
    "inventory_schema": "fleet.exchange.plan_json",
    "load_rulepack": "fleet.rulepack",
    "lose": "fleet.failures.sweep",
    "plan_schema": "fleet.exchange.plan_json",
    "read": "fleet.exchange.readers",
    "read_plan": "fleet.exchange.plan_json",
    "read_scenarios": "fleet.inventory.scenario",
    "sweep_pairs": "fleet.failures.sweep",
    "sweep_single": "fleet.failures.sweep",
    "synthetic": "fleet.inventory.synthetic",
    "to_csv": "fleet.exchange.workbook.tables",
    "to_excel": "fleet.exchange.workbook.tables",
    "to_geojson": "fleet.exchange.geojson",
    "to_map": "fleet.exchange.maps.page",
    "to_report": "fleet.exchange.report.page",
    "write_plan": "fleet.exchange.plan_json",
}

__all__ = ["__version__", *sorted(_HOMES)]  # noqa: PLE0604

logging.getLogger(__name__).addHandler(logging.NullHandler())


__getattr__ = loader(__name__, _HOMES)


def __dir__() -> list[str]:
    return __all__
