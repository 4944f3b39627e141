"""The import graph of a package as tables: modules and imports of every room, what imports what, circles.

Run ``python tools/architecture.py [FOLDER ...]``; the default is ``fleet`` and ``solvers``. A room is a folder directly
in the package; the modules beside the folders are one row of the table, but each its own room where circles are sought.
Imports within functions and under ``TYPE_CHECKING`` count like all others; a name taken from the package itself counts
as an import of the module that the package has it from. Only the source is read: a folder of an older tree does too.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

#: What modules directly in the package are called together.
TOP = "(top)"

Edges = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class ImportGraph:
    """Which modules of a package import which.

    Attributes
    ----------
    package : str
        Name of the package.
    imports : mapping of str to frozenset of str
        Modules of the package that each module imports; names without the package's.
    lines : mapping of str to int
        Lines of each module.
    """

    package: str
    imports: Edges
    lines: Mapping[str, int]

    @property
    def rooms(self) -> tuple[str, ...]:
        """The rooms, the modules at the top last."""
        return (*sorted({room_of(module) for module in self.imports} - {TOP}), TOP)

    @property
    def edges(self) -> list[tuple[str, str]]:
        """(importing module, imported module)."""
        return sorted((module, other) for module, others in self.imports.items() for other in others)

    @cached_property
    def room_imports(self) -> dict[tuple[str, str], int]:
        """How many imports lead from one room to another."""
        counts: dict[tuple[str, str], int] = defaultdict(int)
        for module, other in self.edges:
            if room_of(module) != room_of(other):
                counts[room_of(module), room_of(other)] += 1
        return dict(counts)

    @cached_property
    def circles(self) -> list[list[str]]:
        """Modules that import each other, directly or through others."""
        return strong_components(self.imports)

    @cached_property
    def room_circles(self) -> list[list[str]]:
        """Rooms that import each other; a module at the top counts as a room."""
        between: dict[str, set[str]] = defaultdict(set)
        for module, other in self.edges:
            first, second = (name if room_of(name) == TOP else room_of(name) for name in (module, other))
            between[first].add(second)
            between[second] |= set()
        return strong_components({room: frozenset(others - {room}) for room, others in between.items()})

    @cached_property
    def floors(self) -> int:
        """Modules of the longest chain of imports; 0 where there are circles."""
        if self.circles:
            return 0
        height: dict[str, int] = {}

        def floor(module: str) -> int:
            if module not in height:
                height[module] = 1 + max((floor(other) for other in self.imports[module]), default=0)
            return height[module]

        return max((floor(module) for module in self.imports), default=0)


def room_of(module: str) -> str:
    """The room of a module, named from the package on."""
    return module.split(".", maxsplit=1)[0] if "." in module else TOP


def read_imports(folder: Path) -> ImportGraph:
    """The import graph of the package in a folder."""
    package = folder.name
    files: dict[str, Path] = {}
    empty: set[str] = set()
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts) or "__init__"
        # a room's own module is in the room
        files[f"{name}.__init__" if path.name == "__init__.py" and len(parts) == 2 else name] = path
        if not path.read_text(encoding="utf-8").strip():
            empty.add(name)
    known = {module.removesuffix(".__init__"): module for module in files}
    passed_on = _passed_on(folder / "__init__.py", package)
    imports: dict[str, frozenset[str]] = {}
    lines: dict[str, int] = {}
    for module, path in files.items():
        text = path.read_text(encoding="utf-8")
        if not text.strip():
            continue
        wanted = {known[name] for name in _imported(ast.parse(text), package, known, passed_on)}
        imports[module] = frozenset(name for name in wanted if name != module and files[name].stat().st_size)
        lines[module] = len(text.splitlines())
    return ImportGraph(package, imports, lines)


def _passed_on(path: Path, package: str) -> dict[str, str]:
    """What a package offers under its own name, and the module that it has it from."""
    tree = ast.parse(path.read_text(encoding="utf-8") if path.exists() else "")
    return {
        f"{package}.{alias.asname or alias.name}": str(node.module)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def _imported(tree: ast.Module, package: str, known: Mapping[str, str], passed_on: Mapping[str, str]) -> Iterable[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            inside = [passed_on.get(name, name) for name in inside]
            names = [name if _is_module(name, package, known) else node.module for name in inside]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == package:
            names = [passed_on.get(f"{package}.{node.attr}", package)]
        else:
            continue
        for name in names:
            if name == package:
                yield "__init__"
            elif name.startswith(f"{package}.") and name.removeprefix(f"{package}.") in known:
                yield name.removeprefix(f"{package}.")


def _is_module(name: str, package: str, known: Mapping[str, str]) -> bool:
    return name.removeprefix(f"{package}.") in known


def strong_components(edges: Edges) -> list[list[str]]:
    """Groups of two or more that lead to each other (Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in sorted(edges.get(name, ())):
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            group = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(group) > 1:
                found.append(sorted(group))

    for name in sorted(edges):
        if name not in index:
            visit(name)
    return sorted(found)


def room_table(graph: ImportGraph) -> list[tuple[str, ...]]:
    """One row per room: modules, lines, imports within, to other rooms, from other rooms; the sums last."""
    rows: list[tuple[str, ...]] = [("room", "modules", "lines", "within", "to others", "from others", "imports from")]
    totals = [0] * 5
    for room in graph.rooms:
        modules = [module for module in graph.imports if room_of(module) == room]
        others = sorted(other for first, other in graph.room_imports if first == room)
        counts = [
            len(modules),
            sum(graph.lines[module] for module in modules),
            sum(room_of(first) == room == room_of(second) for first, second in graph.edges),
            sum(count for (first, _), count in graph.room_imports.items() if first == room),
            sum(count for (_, second), count in graph.room_imports.items() if second == room),
        ]
        totals = [total + count for total, count in zip(totals, counts, strict=True)]
        rows.append((room, *(f"{count:,}" for count in counts), ", ".join(others)))
    return [*rows, ("all", *(f"{total:,}" for total in totals), "")]


def summary(graph: ImportGraph) -> list[str]:
    """What the whole graph says, in lines."""
    found = [" → ".join([*circle, circle[0]]) for circle in (*graph.circles, *graph.room_circles)]
    return [
        f"imports: {len(graph.edges)}, of these {sum(graph.room_imports.values())} across rooms",
        f"floors (longest chain of modules): {graph.floors or 'none, there are circles'}",
        f"circles of modules: {len(graph.circles)}, of rooms: {len(graph.room_circles)}",
        *found,
    ]


def as_text(rows: list[tuple[str, ...]]) -> str:
    """Rows as aligned columns, the first and last to the left."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    last = len(widths) - 1
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in (0, last) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def main() -> int:
    """Print the tables of each folder; 1 where modules import in a circle."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, default=[Path("fleet"), Path("solvers")], metavar="FOLDER")
    status = 0
    for folder in parser.parse_args().folders:
        if not list(folder.glob("*.py")):
            parser.error(f"{folder} holds no modules")
        graph = read_imports(folder.resolve())
        print(f"{graph.package}: {len(graph.imports)} modules\n\n{as_text(room_table(graph))}\n")
        print("\n".join(summary(graph)), end="\n\n")
        status |= bool(graph.circles)
    return status


if __name__ == "__main__":
    sys.exit(main())
