"""Compile the loops ahead of the first solve: ``python -m solvers.location``, as after an installation."""

from __future__ import annotations

import logging
import os
import sys

from solvers.location.warmup import run_others, smallest, warm_up

if sys.argv[1:] == ["others"]:  # what a second process does meanwhile
    run_others(smallest())
else:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    warm_up(os.cpu_count() or 1)
