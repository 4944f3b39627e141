"""DR-011: copies into the cloud within what the internet access of the site that they leave from carries."""

from __future__ import annotations

import numpy as np

from fleet.plan.uploads import upload_limit_mbps
from solvers.encoders.capacity import load_terms
from solvers.formulation import Formulation


def encode(formulation: Formulation) -> None:
    """Add a row for every site whose internet access is stated, in every period in which anything is copied."""
    problem = formulation.problem
    uploads = np.array([part.upload_mbps for part in problem.classes])
    if not uploads.any():
        return
    for site in sorted({problem.slots[slot].site for slot in formulation.slots}):
        limit = upload_limit_mbps(problem.inventory, problem.pack, site)
        if limit is None:
            continue
        columns, classes = formulation.columns_of(np.isin(formulation.primary_of, formulation.slots_at(site)))
        for period in formulation.load_periods:
            terms = load_terms(columns, uploads[classes, period])
            if terms:
                formulation.model.add_row("DR-011", terms, upper=limit * (1.0 - formulation.margin))
