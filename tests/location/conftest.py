"""The loops are compiled before anything is timed: on a new machine that takes longer than a test may."""

from __future__ import annotations

import pytest

from solvers.location.warmup import warm_up


@pytest.fixture(scope="session", autouse=True)
def compiled_loops() -> None:
    warm_up(2)
