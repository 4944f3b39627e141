"""What a tuning constant is: a field of a frozen class that says its unit, its meaning and how it was chosen."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import Field, field, fields, is_dataclass
from typing import Any, ClassVar, Protocol

#: Whole numbers above this are refused where nothing narrower is said: loops in machine code count in 64 bits.
MOST_WHOLE = 2**31
#: The same for other numbers, which leaves products of them finite.
MOST_NUMBER = 1e15
#: How a value was chosen where nobody measured it.
BY_HAND = "by hand, not measured"


class DataclassInstance(Protocol):
    """Any instance of a dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


def parameter(
    default: Any, unit: str, meaning: str, *, chosen: str = BY_HAND, least: float = 0.0, most: float = math.inf
) -> Any:
    """A field of a parameter class.

    Parameters
    ----------
    default : int, float or tuple of them
        The value that is used where nobody asks for another.
    unit : str
        Of the value: ``s``, ``columns``, ``share of the time``.
    meaning : str
        What it steers, and what is better with more or less of it.
    chosen : str
        By which benchmark, or `BY_HAND`.
    least, most : float
        What is allowed, both inclusive; of every entry of a tuple.
    """
    about = {"unit": unit, "meaning": meaning, "chosen": chosen, "least": least, "most": most}
    return field(default=default, metadata=about)


def validate(parameters: DataclassInstance) -> None:
    """Check every field against what its `parameter` allows; for ``__post_init__``.

    Raises
    ------
    ValueError
        With class, field, value and what is allowed.
    """
    for each in fields(parameters):
        if "unit" not in each.metadata:
            continue
        value = getattr(parameters, each.name)
        name = f"{type(parameters).__name__}.{each.name}"
        entries, defaults = _entries(value), _entries(each.default)
        if isinstance(value, tuple) != isinstance(each.default, tuple) or not entries:
            raise ValueError(f"{name}: expected {_kind(each.default)}, got {value!r}")
        is_whole = all(isinstance(entry, int) for entry in defaults)
        for entry in entries:
            is_number = isinstance(entry, int if is_whole else (int, float)) and not isinstance(entry, bool)
            if not is_number:
                raise ValueError(f"{name}: expected {_kind(each.default)}, got {value!r}")
            least, most = each.metadata["least"], min(each.metadata["most"], MOST_WHOLE if is_whole else MOST_NUMBER)
            if not least <= entry <= most:
                raise ValueError(f"{name}: {entry!r} {each.metadata['unit']} is outside of {least:g} to {most:g}")


def from_mapping(kind: type[Any], values: Mapping[str, Any], path: str = "") -> Any:
    """An instance of a parameter class, or of one that holds others, from nested mappings as TOML has them.

    Raises
    ------
    ValueError
        If a name is unknown, naming what there is; or a value is not allowed.
    """
    known = {each.name: each for each in fields(kind)}
    for name in values:
        if name not in known:
            raise ValueError(f"unknown parameter {path + name!r}; there are {', '.join(sorted(known))}")
    given: dict[str, Any] = {}
    for name, value in values.items():
        inner: Any = known[name].default_factory
        if isinstance(inner, type) and is_dataclass(inner):
            if not isinstance(value, Mapping):
                raise ValueError(f"{path + name!r} is a table of parameters, got {value!r}")
            given[name] = from_mapping(inner, value, f"{path}{name}.")
        else:
            given[name] = tuple(value) if isinstance(value, list) else value
    return kind(**given)


def _entries(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _kind(default: Any) -> str:
    entries = _entries(default)
    one = "a whole number" if all(isinstance(entry, int) for entry in entries) else "a number"
    return f"a list, each {one}" if isinstance(default, tuple) else one
