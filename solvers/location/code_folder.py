"""Where compiled code is kept for the next process: a folder of the user's, one per version of the loops.

Code is keyed by everything that is compiled together: the compiler looks at the file of the outer function alone, and
would keep code whose inner functions have changed since.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOM = Path(__file__).parent
#: What is compiled, or compiled into it.
SOURCES = ("compiled.py", "sorting.py", "tolerances.py", "bound/*.py", "search/*.py")
NAME = "fleet-planner"


@cache
def code_folder() -> Path | None:
    """The first of the user's folders that can be written and that nobody else writes; None where there is none."""
    return next((folder for folder in _candidates() if _is_usable(folder)), None)


def _candidates() -> Iterator[Path]:
    """What NUMBA_CACHE_DIR says, the folder for caches of the platform, one for temporary files."""
    version = f"location-{_version()}"
    if given := os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(given) / version
    with contextlib.suppress(RuntimeError):  # nobody's home
        yield _caches() / NAME / version
    user = os.getuid() if hasattr(os, "getuid") else "user"
    yield Path(tempfile.gettempdir()) / f"{NAME}-{user}-{version}"


def _caches() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _version() -> str:
    """A digest of the sources."""
    digest = hashlib.sha256()
    for pattern in SOURCES:
        for path in sorted(ROOM.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _is_usable(folder: Path) -> bool:
    """Make it where it is missing; code that another user could have put there is not run."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
        found = folder.lstat()
    except OSError:
        return False
    if not hasattr(os, "getuid"):
        return True
    is_mine = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
    return is_mine and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
