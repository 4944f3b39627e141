"""DR-011: copies into the cloud within what the internet access of the site that they leave from carries."""

from __future__ import annotations

import numpy as np

from fleet.plan.uploads import upload_limit_mbps
from solvers.formulation.constraints.capacity import load_terms
from solvers.formulation.variables import Formulation
from solvers.linear.model import Floats


def encode(formulation: Formulation) -> None:
    """Add a row for every site whose internet access is stated, in every period that no other one covers."""
    problem = formulation.problem
    uploads = np.array([demand_class.upload_mbps for demand_class in problem.classes])
    if not uploads.any():
        return
    for site in sorted({problem.slots[slot].site for slot in formulation.slots}):
        limit = upload_limit_mbps(problem.inventory, problem.pack, site)
        if limit is None:
            continue
        columns, classes = formulation.columns_of(np.isin(formulation.primary_of, formulation.slots_at(site)))
        for period in _decisive(uploads):
            terms = load_terms(columns, uploads[classes, period])
            if terms:
                formulation.model.add_row("DR-011", terms, upper=limit * (1.0 - formulation.margin))


def _decisive(uploads: Floats) -> list[int]:
    """The periods in which some class (C, T) copies more than in each other one; of equal ones the last."""
    spans = range(uploads.shape[1])
    covers = [[bool((uploads[:, period] <= uploads[:, other]).all()) for other in spans] for period in spans]
    return [
        period
        for period in spans
        if not any(covers[period][other] and (other > period or not covers[other][period]) for other in spans)
    ]
