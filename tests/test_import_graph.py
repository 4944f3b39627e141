"""`make architecture`: what it counts, and that nothing imports in a circle, not even for types."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tools import room_drawing
from tools.architecture import TOP, as_text, read_imports, room_table

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def house(tmp_path):
    """A package of two rooms and a module at the top."""
    modules = {
        "__init__.py": "",
        "base.py": "import os\n",
        "low/__init__.py": "",
        "low/floor.py": "from house import base\n",
        "low/wall.py": "from house.low.floor import tile\nfrom house.low import floor\n",
        "high/__init__.py": "",
        "high/roof.py": "def late():\n    import house.low.wall\n",
    }
    for name, text in modules.items():
        path = tmp_path / "house" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "house"


def test_modules_and_imports_are_counted_by_room(house):
    graph = read_imports(house)
    assert graph.edges == [("high.roof", "low.wall"), ("low.floor", "base"), ("low.wall", "low.floor")]
    assert graph.room_imports == {("high", "low"): 1, ("low", TOP): 1}
    assert (graph.floors, graph.circles, graph.room_circles) == (4, [], [])
    assert [row[:2] for row in room_table(graph)[1:]] == [("high", "1"), ("low", "2"), (TOP, "1"), ("all", "4")]
    assert "low" in as_text(room_table(graph))


def test_a_name_of_the_package_is_an_import_of_the_module_that_has_it(house):
    (house / "__init__.py").write_text("from house.low.wall import Wall as Wall\n", encoding="utf-8")
    (house / "high" / "roof.py").write_text("from house import Wall\n", encoding="utf-8")
    graph = read_imports(house)
    assert ("high.roof", "low.wall") in graph.edges
    assert ("high.roof", "__init__") not in graph.edges
    (house / "high" / "roof.py").write_text("import house\n\nhouse.Wall()\n", encoding="utf-8")
    assert ("high.roof", "low.wall") in read_imports(house).edges


def test_imports_for_types_close_circles(house):
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from house.low.wall import Wall\n"
    (house / "low" / "floor.py").write_text(text, encoding="utf-8")
    graph = read_imports(house)
    assert graph.circles == [["low.floor", "low.wall"]]
    assert graph.floors == 0


def test_rooms_that_import_each_other_are_a_circle_without_one_of_modules(house):
    (house / "low" / "door.py").write_text("import house.high.roof\n", encoding="utf-8")
    graph = read_imports(house)
    assert (graph.circles, graph.room_circles) == ([], [["high", "low"]])


@pytest.mark.parametrize("package", ["fleet", "solvers"])
def test_nothing_imports_in_a_circle(package):
    graph = read_imports(ROOT / package)
    assert graph.circles == []
    assert graph.room_circles == []


def test_the_tool_prints_a_table_and_fails_on_circles(house):
    command = [sys.executable, str(ROOT / "tools" / "architecture.py"), str(house)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "circles of modules: 0, of rooms: 0" in done.stdout
    (house / "base.py").write_text("import house.low.floor\n", encoding="utf-8")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "base → low.floor → base" in done.stdout


EDGES = {
    "roof": frozenset({"wall", "floor", "ground"}),
    "wall": frozenset({"floor"}),
    "floor": frozenset({"ground"}),
    "tree": frozenset({"ground"}),
    "ground": frozenset[str](),
}


def test_what_other_arrows_imply_is_not_drawn():
    assert room_drawing.reduced(EDGES)["roof"] == {"wall"}
    assert room_drawing.reachable(EDGES)["roof"] == {"wall", "floor", "ground"}


def test_a_drawing_has_every_box_above_what_it_leads_to():
    text = room_drawing.drawing(EDGES, {"roof": "<3 modules>"}, "a house & a tree")
    svg = ET.fromstring(text)
    boxes = {group[1].text: float(group[0].get("y")) for group in svg if group.get("class") == "room"}
    assert boxes.keys() == EDGES.keys()
    assert all(boxes[name] < boxes[other] for name, others in EDGES.items() for other in others)
    assert len(re.findall('class="import"', text)) == 4
