"""Public names of a package that load their modules on first use, so that importing the package stays cheap."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def loader(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """The ``__getattr__`` of a package: finds a public name in its module and keeps it.

    Parameters
    ----------
    package : str
        Name of the package.
    homes : mapping
        Public names and the modules that define them.

    Examples
    --------
    >>> loader("fleet", {"gb_to_tb": "fleet.quantities"})("nonsense")
    Traceback (most recent call last):
    AttributeError: module 'fleet' has no attribute 'nonsense'
    """

    def __getattr__(name: str) -> Any:  # noqa: N807 – the name that packages give it
        home = homes.get(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(home), name)
        setattr(sys.modules[package], name, value)
        return value

    return __getattr__
