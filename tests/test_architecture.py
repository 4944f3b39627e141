"""The house keeps its shape: imports go one way, modules stay small, importing is cheap."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted([*ROOT.glob("fleet/**/*.py"), *ROOT.glob("solvers/**/*.py")])
#: What is longer is two modules.
LONGEST = 400


def test_import_contracts_hold():
    linter = shutil.which("lint-imports", path=str(Path(sys.executable).parent)) or shutil.which("lint-imports")
    if linter is None:
        pytest.skip("import-linter is absent: it comes with the dev extra")
    done = subprocess.run([linter, "--no-cache"], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_stay_small(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


def test_the_command_line_stays_thin():
    assert len((ROOT / "cli.py").read_text(encoding="utf-8").splitlines()) <= LONGEST + 100


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
