"""Reading rule packs: dated, sourced vendor facts, checked strictly against `fleet.rulepack.schema.SCHEMA`."""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

from fleet.errors import Problem, RulePackError
from fleet.rulepack.checking import contradictions, fact_from
from fleet.rulepack.facts import Fact, RulePack
from fleet.rulepack.schema import SCHEMA

_HEADER = ("name", "date", "statement")


@lru_cache(maxsize=1)
def builtin_rulepacks() -> tuple[str, ...]:
    """Names of the packs that Fleet ships."""
    folder = resources.files("fleet.rulepack") / "packs"
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


def load_rulepack(name_or_path: str) -> RulePack:
    """Read a shipped pack by name, or any pack by its path.

    A pack may state ``extends = "azure-local"`` in its ``[pack]`` table and then only the facts that it overrides,
    each one whole.

    Parameters
    ----------
    name_or_path : str
        ``azure-local``, ``deep-dive``, or the path of a TOML file.

    Raises
    ------
    RulePackError
        If there is no such pack, or with every unknown or missing fact, wrong unit and wrong kind in it.

    Examples
    --------
    >>> load_rulepack("azure-local").whole("limits.max_nodes")
    16
    """
    return _load(name_or_path, _changed(name_or_path))


def _changed(name_or_path: str) -> int:
    """When the file last changed, so that an edited pack is read again; 0 for the shipped ones."""
    path = Path(name_or_path)
    return path.stat().st_mtime_ns if name_or_path not in builtin_rulepacks() and path.is_file() else 0


@lru_cache(maxsize=32)
def _load(name_or_path: str, _changed_at: int) -> RulePack:
    header, facts, problems = _gather(name_or_path, ())
    if not problems:
        problems = [
            Problem("RUL003", name_or_path, f"the fact {key!r} is missing", 'state it, or extends = "azure-local"')
            for key in SCHEMA
            if key not in facts
        ]
    problems = problems or contradictions(name_or_path, facts)
    if problems:
        raise RulePackError(problems)
    ordered = {key: facts[key] for key in SCHEMA}
    return RulePack(header["name"], header["date"], header["statement"], MappingProxyType(ordered))


def _gather(name_or_path: str, above: tuple[str, ...]) -> tuple[dict[str, Any], dict[str, Fact], list[Problem]]:
    """Header, facts and problems of a pack and of what it extends."""
    if name_or_path in above:
        chain = " → ".join((*above, name_or_path))
        return {}, {}, [Problem("RUL001", name_or_path, f"packs extend each other in a circle: {chain}", "end it")]
    raw, problems = _read(name_or_path)
    if problems:
        return {}, {}, problems
    header = raw.pop("pack", None)
    problems = _header_problems(name_or_path, header)
    base: dict[str, Fact] = {}
    parent = header.get("extends", "") if isinstance(header, dict) else ""
    if isinstance(parent, str) and parent:
        if parent not in builtin_rulepacks():
            parent = str(Path(name_or_path).parent / parent)
        _, base, parent_problems = _gather(parent, (*above, name_or_path))
        problems += parent_problems
    facts = dict(base)
    for key, stated in _flatten(raw):
        fact, wrong = fact_from(key, stated, name_or_path)
        problems += wrong
        if fact is not None:
            facts[key] = fact
    return header if isinstance(header, dict) else {}, facts, problems


def _read(name_or_path: str) -> tuple[dict[str, Any], list[Problem]]:
    try:
        if name_or_path in builtin_rulepacks():
            file = resources.files("fleet.rulepack") / "packs" / f"{name_or_path}.toml"
            return tomllib.loads(file.read_text(encoding="utf-8")), []
        return tomllib.loads(Path(name_or_path).read_text(encoding="utf-8")), []
    except OSError:
        known = ", ".join(builtin_rulepacks())
        message = "is neither a shipped rule pack nor a file that can be read"
        return {}, [Problem("RUL001", name_or_path, message, f"use {known}, or the path of a TOML file")]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return {}, [Problem("RUL001", name_or_path, f"is not valid TOML: {error}", "correct the file")]


def _header_problems(place: str, header: Any) -> list[Problem]:
    if not isinstance(header, dict):
        return [Problem("RUL003", place, "the table [pack] is missing", "state name, date and statement in it")]
    problems = [
        Problem("RUL003", f"{place} [pack]", f"{name} is missing", "state it") for name in _HEADER if name not in header
    ]
    for name, value in header.items():
        if name not in (*_HEADER, "extends"):
            problems.append(Problem("RUL002", f"{place} [pack]", f"{name} is unknown", "remove it"))
        elif name == "date" and not isinstance(value, datetime.date):
            problems.append(Problem("RUL004", f"{place} [pack]", f"date is {value!r}", "write it as 2026-09-01"))
        elif name != "date" and not isinstance(value, str):
            problems.append(Problem("RUL004", f"{place} [pack]", f"{name} is {value!r}, expected a text", "quote it"))
    return problems


def _flatten(tables: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys with what is stated under them. Whatever holds a field of a fact is a fact."""
    for name, content in tables.items():
        key = f"{prefix}{name}"
        is_group = isinstance(content, dict) and all(isinstance(part, dict) for part in content.values())
        if is_group and key not in SCHEMA and content:
            yield from _flatten(content, f"{key}.")
        else:
            yield key, content
