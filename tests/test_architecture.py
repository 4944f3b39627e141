"""The house keeps its shape: imports go one way, modules stay small, importing is cheap."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from inspect import ismodule
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted([*ROOT.glob("fleet/**/*.py"), *ROOT.glob("solvers/**/*.py")])
PACKAGES = [path for path in MODULES if path.name == "__init__.py"]
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
#: What is longer is two modules; two functions; one that takes an object.
LONGEST, LONGEST_FUNCTION, MOST_PARAMETERS = 400, 60, 8
#: Functions that are longer or take more, and why; the rules of ruff on the same are off in their files.
LARGE_FUNCTIONS = {
    "fleet.inventory.synthetic.synthetic": "public: all that may be asked of a synthetic fleet, in words of users",
    "solvers.command.planning.plan": "an option of the command line is a parameter",
    "solvers.command.planning.batch": "an option of the command line is a parameter",
    "solvers.location.problem.FacilityProblem.__init__": "public: the arrays of a facility location problem",
}


def test_import_contracts_hold():
    linter = shutil.which("lint-imports", path=str(Path(sys.executable).parent)) or shutil.which("lint-imports")
    if linter is None:
        pytest.skip("import-linter is absent: it comes with the dev extra")
    done = subprocess.run([linter, "--no-cache"], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_stay_small(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


def functions(path: Path) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Every function of a module by its qualified name, methods and inner ones too."""
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    pending: list[tuple[str, ast.AST]] = [(module, ast.parse(path.read_text(encoding="utf-8")))]
    while pending:
        name, node = pending.pop()
        for child in ast.iter_child_nodes(node):
            inner = f"{name}.{child.name}" if isinstance(child, DEFINITIONS) else name
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield inner, child
            pending.append((inner, child))


def is_large(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    every = function.args
    named = [argument.arg for argument in (*every.posonlyargs, *every.args, *every.kwonlyargs)]
    parameters = [name for place, name in enumerate(named) if place or name not in ("self", "cls")]
    lines = (function.end_lineno or 0) - function.lineno + 1
    return lines > LONGEST_FUNCTION or len(parameters) > MOST_PARAMETERS


def test_functions_stay_small_or_say_why():
    large = {name for path in MODULES for name, function in functions(path) if is_large(function)}
    assert large - LARGE_FUNCTIONS.keys() == set(), "split them, or pass an object"
    assert LARGE_FUNCTIONS.keys() - large == set(), "these are small now: take them out of the table"


@pytest.mark.parametrize("path", PACKAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_is_named_like_what_its_package_exports(path):
    """Importing the module would put it in the place of the function."""
    package = import_module(".".join(path.parent.relative_to(ROOT).parts))
    exported = {name for name, value in vars(package).items() if not ismodule(value)}
    exported |= set(getattr(package, "__all__", ()))
    inside = {entry.stem for entry in path.parent.glob("*.py")}
    inside |= {entry.parent.name for entry in path.parent.glob("*/__init__.py")}
    assert exported & inside == set()


def test_the_command_line_stays_thin():
    assert len((ROOT / "cli.py").read_text(encoding="utf-8").splitlines()) <= 20


def test_importing_fleet_is_cheap_and_every_public_name_resolves():
    code = (
        "import sys, fleet\n"
        "assert not {'pandas', 'numpy', 'pydantic', 'folium', 'networkx'} & set(sys.modules)\n"
        "for name in fleet.__all__: getattr(fleet, name)\n"
        "assert 'ortools' not in sys.modules and 'solvers' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr


def test_an_unknown_public_name_is_an_attribute_error():
    import fleet

    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        fleet.nonsense  # noqa: B018


#: Numbers that modules of `solvers` keep by themselves, and why they are no parameters.
CONSTANTS = {
    "solvers.batch._ATTEMPTS": "what a dying process may cost, not how to search",
    "solvers.engines.cp_sat.CONTINUOUS_STEPS": "precision of integers, on which the validity of bounds rests",
    "solvers.engines.cp_sat.MIXED_ROW_REACH": "the same",
    "solvers.engines.cp_sat.OBJECTIVE_STEPS": "the same",
    "solvers.engines.cp_sat.PRESOLVE_INCLUSION_WORK": "anything else makes a release certify wrong optima",
    "solvers.engines.cp_sat.ROW_SCALE": "precision of integers, on which the validity of bounds rests",
    "solvers.engines.process.ERROR_LINES": "length of a message",
    "solvers.engines.process.LAST_WORDS_S": "time for a message",
    "solvers.engines.task.LEAST_LIMIT_S": "what engines call no limit at all is none",
    "solvers.engines.task.UNLIMITED_S": "stands for no limit",
    "solvers.formulation.constraints.machines._VCPU": "an index",
    "solvers.formulation.variables.NO_STANDBY": "an index",
    "solvers.problem.cloud_ways.NO_WAY": "stands for infinity",
    "solvers.problem.routes.AT_HOME": "an index",
    "solvers.problem.routes.NOWHERE": "an index",
    "solvers.problem.standby_reasons.MEGABITS_PER_MEGABYTE": "a unit",
    "solvers.strategies.infeasibility.NAMED": "length of a message",
}
#: The location core keeps its constants with reasons in place.
HOMES_OF_NUMBERS = ("solvers/parameters/", "solvers/tolerances.py", "solvers/location/")


def is_number(node: ast.expr | None) -> bool:
    """Whether an expression is made of numbers alone."""
    if isinstance(node, ast.BinOp):
        return is_number(node.left) and is_number(node.right)
    if isinstance(node, ast.UnaryOp):
        return is_number(node.operand)
    if isinstance(node, ast.Tuple):
        return bool(node.elts) and all(map(is_number, node.elts))
    return isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool)


def numbers(path: Path) -> Iterator[str]:
    """The numeric constants that a module defines, by their qualified names."""
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and is_number(node.value):
            yield from (
                f"{module}.{name.id}" for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)
            )


def test_what_steers_a_search_is_a_parameter():
    paths = [path for path in MODULES if path.relative_to(ROOT).parts[0] == "solvers"]
    paths = [path for path in paths if not path.relative_to(ROOT).as_posix().startswith(HOMES_OF_NUMBERS)]
    found = {name for path in paths for name in numbers(path)}
    assert found - CONSTANTS.keys() == set(), "make them parameters or tolerances, or say why not"
    assert CONSTANTS.keys() - found == set(), "these are gone: take them out of the table"
