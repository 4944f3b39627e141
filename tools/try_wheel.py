"""Try what users get: build the wheel, install it in fresh environments outside the clone, and do the main job there.

Run ``python tools/try_wheel.py [--lowest] [--every-python]``. ``--lowest`` installs the oldest release of every direct
dependency that `pyproject.toml` allows and runs the tests of what depends on them, ``--every-python`` tries each Python
from 3.11 on that this machine has, not just the one that runs this file. Needs `uv`, which the extra ``dev`` brings,
and a package index.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
UV = [sys.executable, "-m", "uv"]
#: Top-level names that the wheel may claim.
CLAIMED = {"fleet", "solvers"}
OLDEST = (3, 11)
#: What is tested with the oldest dependencies: rooms whose code calls them, without what solves for long.
TESTED = ("cli", "exchange", "inventory", "location", "plan", "platform", "rulepack", "wan")
TEST_TOOLS = ("pytest", "pytest-xdist", "hypothesis", "geopy", "openpyxl", "jsonschema", "nbmake")
#: Old releases call what newer ones of their own dependencies deprecate; that is not ours to mend.
OLD_WARNINGS = ("-W", "ignore::DeprecationWarning", "-W", "ignore::ImportWarning")


def run(*words: object, cwd: Path | None = None) -> str:
    """Run a command and return what it printed; end with its words where it fails."""
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [str(word) for word in words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=alone, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, words))}\nexit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def built(folder: Path) -> Path:
    """The wheel, built into a folder."""
    run(*UV, "build", "--quiet", "--wheel", "--out-dir", folder, ROOT)
    (wheel,) = folder.glob("*.whl")
    return wheel


def check_contents(wheel: Path) -> None:
    """The wheel claims its own two packages, and says so."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        top = {name.split("/")[0] for name in names if not name.split("/")[0].endswith(".dist-info")}
        (metadata,) = (archive.read(name).decode() for name in names if name.endswith(".dist-info/METADATA"))
    if top != CLAIMED:
        sys.exit(f"{wheel.name} claims {sorted(top)} at the top, not {sorted(CLAIMED)}")
    said = {line.split(": ")[1] for line in metadata.splitlines() if line.startswith("Import-Name: ")}
    if said != CLAIMED:
        sys.exit(f"the metadata of {wheel.name} says that it installs {sorted(said)}, not {sorted(CLAIMED)}")
    for needed in ("fleet/_examples/retail/sites.csv", "fleet/exchange/data/basemap.json", "fleet/py.typed"):
        if needed not in names:
            sys.exit(f"{wheel.name} lacks {needed}")


def pythons() -> list[str]:
    """Every Python that this machine has and that the project allows, the newest patch of each minor release.

    Those on the search path, and those of pyenv, whose shims work for the chosen ones only.
    """
    listed = json.loads(run(*UV, "python", "list", "--only-installed", "--output-format", "json"))
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates = [row["path"] for row in listed] + sorted(map(str, root.glob("versions/*/bin/python3")))
    ask = "import json, platform, sys; print(json.dumps([platform.python_implementation(), *sys.version_info[:3]]))"
    found: dict[tuple[int, int], tuple[int, str]] = {}
    for path in candidates:
        implementation, major, minor, patch = json.loads(run(path, "-c", ask))
        if implementation == "CPython" and (major, minor) >= OLDEST and patch >= found.get((major, minor), (-1,))[0]:
            found[major, minor] = (patch, path)
    return [path for _, (_, path) in sorted(found.items())]


def try_it(wheel: Path, python: str, resolution: str) -> None:
    """Install the wheel for one Python and plan, audit and export an example from an empty folder."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        environment = folder / "environment"
        run(*UV, "venv", "--quiet", "--no-project", "--python", python, environment)
        interpreter = environment / "bin" / "python"
        if not interpreter.exists():
            interpreter = environment / "Scripts" / "python.exe"
        run(*UV, "pip", "install", "--quiet", "--python", interpreter, "--resolution", resolution, wheel)
        fleet = interpreter.with_name("fleet" + interpreter.suffix)
        work = folder / "work"
        work.mkdir()
        version = run(fleet, "--version", cwd=work).strip()
        run(fleet, "new", "inventory", "--example", "research", cwd=work)
        run(fleet, "plan", "inventory", "-o", "out", "--time-limit", 60, "--quiet", cwd=work)
        run(fleet, "audit", "out", cwd=work)
        formats = "xlsx,csv,geojson,map,report,json"
        for name in run(fleet, "export", "out", "--to", formats, "-o", "again", cwd=work).split():
            if not (work / name).exists():
                sys.exit(f"fleet export says that it wrote {name}, which does not exist")
        plan = json.loads((work / "out" / "plan.json").read_text(encoding="utf-8"))
        release = run(interpreter, "-c", "import platform; print(platform.python_version())", cwd=work).strip()
        result = plan["result"]
        print(
            f"{wheel.name} ({version}) on Python {release}, {resolution}: {result['status']},"
            f" {result['objective']:,.0f}, OR-Tools {plan['generator']['ortools']}",
            flush=True,
        )


def run_tests(wheel: Path, python: str) -> None:
    """Run the tests of the clone with the oldest direct dependencies that are allowed."""
    with tempfile.TemporaryDirectory() as scratch:
        interpreter = Path(scratch) / "environment" / "bin" / "python"
        run(*UV, "venv", "--quiet", "--no-project", "--python", python, interpreter.parents[1])
        run(*UV, "pip", "install", "--quiet", "--python", interpreter, "--resolution", "lowest-direct", wheel)
        run(*UV, "pip", "install", "--quiet", "--python", interpreter, *TEST_TOOLS)
        folders = [f"tests/{name}" for name in TESTED]
        printed = run(interpreter, "-m", "pytest", "-q", "-n", "auto", *OLD_WARNINGS, *folders, cwd=ROOT)
        print(f"with the oldest dependencies: {printed.splitlines()[-1]}", flush=True)


def main() -> None:
    """Build, look inside, try."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--lowest", action="store_true", help="oldest direct dependencies that are allowed")
    options.add_argument("--every-python", action="store_true", help="each Python from 3.11 on, not just this one")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wheel = built(Path(folder))
        check_contents(wheel)
        for python in pythons() if given.every_python else [sys.executable]:
            try_it(wheel, python, "lowest-direct" if given.lowest else "highest")
            if given.lowest:
                run_tests(wheel, python)


if __name__ == "__main__":
    main()
