"""Maps: locked, offline, deterministic, safe with hostile names, and really drawn."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fleet.errors import ExportError
from fleet.exchange.maps import page as maps
from fleet.exchange.maps.page import FleetMap, to_map
from fleet.exchange.maps.payload import map_payload
from fleet.plan.plan import Plan
from tests.exchange.browser import launched, visit
from tests.exchange.many_sites import many_sites_plan, one_site_plan
from tests.exchange.plan_fixture import HOSTILE_FORMULA, HOSTILE_MARKUP, HOSTILE_TEMPLATE, fixture_plan

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def plan() -> Plan:
    return fixture_plan()


@pytest.fixture(scope="module")
def drawn(plan: Plan) -> FleetMap:
    return to_map(plan)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as found:
        yield found


@pytest.fixture(scope="module")
def saved(drawn: FleetMap, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return drawn.save(tmp_path_factory.mktemp("maps") / "map.html")


def counts(seen: Any) -> dict[str, int]:
    return seen.page.evaluate("fleetMap.counts")


def test_payload_counts_what_the_plan_holds(plan: Plan) -> None:
    payload = map_payload(plan)
    assert len(payload["sites"]) == 60
    assert [cluster["nodes"] for cluster in payload["clusters"] if cluster["name"] == "Chicago-c1"] == [[5, 6, 6]]
    away = {(row.site, row.cluster) for row in plan.document.assignments if row.cluster.removesuffix("-c1") != row.site}
    assert len(payload["spokes"]) == len(away)
    assert sum(arc["demands"] for arc in payload["arcs"]) == len(plan.document.standbys)
    assert sum(arc["mbps"] for arc in payload["arcs"]) == pytest.approx(
        sum(row.required_mbps for row in plan.document.standbys)
    )
    assert len(payload["links"]) == len({row.link for row in plan.document.links})
    assert json.loads(json.dumps(payload)) == payload


def test_payload_states_loads_of_both_directions(plan: Plan) -> None:
    payload = map_payload(plan)
    sites = [site[0] for site in payload["sites"]]
    for name, start, end, _, periods in payload["links"]:
        for row in (entry for entry in plan.document.links if entry.link == name):
            ways = periods[min(row.period, len(periods) - 1)]
            way = ways[0] if row.from_ == sites[start] or len(ways) == 1 else ways[1]
            assert {row.from_, row.to} == {sites[start], sites[end]}
            assert way[:3] == [round(value, 1) for value in (row.capacity_mbps, row.normal_mbps, row.worst_mbps)]
            assert payload["states"][way[3]] == row.worst_case


def test_equal_plans_give_equal_bytes(drawn: FleetMap) -> None:
    assert to_map(fixture_plan()).html == drawn.html


def test_bytes_do_not_depend_on_the_process(drawn: FleetMap, tmp_path: Path) -> None:
    code = (
        "import sys; from tests.exchange.plan_fixture import fixture_plan; from fleet.exchange.maps.page import to_map;"
        "to_map(fixture_plan()).save(sys.argv[1])"
    )
    target = tmp_path / "map.html"
    environment = {"PYTHONHASHSEED": "7", "PYTHONPATH": f"{ROOT}:{ROOT / 'tests' / 'exchange'}"}
    subprocess.run([sys.executable, "-c", code, str(target)], check=True, cwd=ROOT, env=environment)
    assert target.read_text(encoding="utf-8") == drawn.html


def test_page_names_no_remote_file(drawn: FleetMap) -> None:
    assert not re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)\s*=", drawn.html)
    assert "sourceMappingURL" not in drawn.html
    assert "url(images" not in drawn.html
    assert drawn.html.index("Content-Security-Policy") < drawn.html.index("<script")


def test_hostile_names_are_only_data(drawn: FleetMap) -> None:
    assert HOSTILE_MARKUP not in drawn.html
    assert HOSTILE_MARKUP.replace("<", "\\u003c") in drawn.html
    assert HOSTILE_TEMPLATE in drawn.html
    assert HOSTILE_FORMULA in drawn.html


def test_hostile_plan_name_does_not_reach_the_title(plan: Plan) -> None:
    inventory = plan.document.inventory.model_copy(update={"name": "</title><script>alert(1)</script>{{ 7*7 }}"})
    page = to_map(Plan(plan.document.model_copy(update={"inventory": inventory}))).html
    assert "<script>alert" not in page
    assert "&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;{{ 7*7 }}" in page


def test_unknown_remote_file_is_an_error(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maps, "_DROPPED", frozenset())
    with pytest.raises(ExportError, match="which has no offline copy"):
        to_map(plan)


def test_saving_into_a_file_as_folder_is_an_export_error(drawn: FleetMap, tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("x")
    with pytest.raises(ExportError, match="cannot be written"):
        drawn.save(blocker / "map.html")


def test_notebook_shows_a_sandboxed_frame(drawn: FleetMap) -> None:
    frame = drawn._repr_html_()
    assert frame.startswith("<iframe")
    assert 'sandbox="allow-scripts"' in frame
    assert "<script" not in frame
    assert "MB of HTML" in repr(drawn)


def test_browser_asks_for_nothing_and_complains_of_nothing(browser: Any, saved: Path) -> None:
    seen = visit(browser, saved)
    for step in ("fleetMap.map.setZoom(7)", "fleetMap.map.setView([60, 179], 3)"):
        seen.page.evaluate(step + " && 0")
        seen.page.wait_for_timeout(100)
    assert seen.requests == [saved.as_uri()]
    assert seen.complaints == []


def test_browser_draws_every_feature(browser: Any, saved: Path, plan: Plan) -> None:
    seen = visit(browser, saved)
    payload = map_payload(plan)
    assert counts(seen) == {
        "sites": 59,
        "clusters": 5,
        "links": 7,
        "rings": 59,
        "arcs": len(payload["arcs"]),
        "spokes": len(payload["spokes"]),
    }
    title = seen.page.inner_text(".fleet-title")
    assert "us-retail · growth-12" in title
    assert "gap 1.29%" in title
    assert "4 warnings" in title
    assert seen.page.locator(".fleet-label:visible", has_text="Chicago-c1").count() == 1
    ink = seen.page.evaluate(
        "(() => { const c = document.querySelector('.leaflet-overlay-pane canvas'); const d = c.getContext('2d')"
        ".getImageData(0, 0, c.width, c.height).data; let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0;"
        " return n })()"
    )
    assert ink > 5000


def test_layers_come_and_go(browser: Any, saved: Path) -> None:
    page = visit(browser, saved).page
    for name in ("clusters", "links", "arcs", "spokes", "sites"):
        box = page.locator(f"[data-layer={name}] input[type=checkbox]").first
        shown = f"fleetMap.map.hasLayer(fleetMap.groups.{name})"
        assert page.evaluate(shown) is True
        box.uncheck()
        assert page.evaluate(shown) is False
        box.check()
        assert page.evaluate(shown) is True
    stores = page.locator("[data-layer=sites] label", has_text="store").locator("input")
    kinds = "fleetMap.groups.sites.getLayers().length"
    before = page.evaluate(kinds)
    stores.uncheck()
    assert page.evaluate(kinds) == before - 1


def test_period_and_load_case_change_what_is_shown(browser: Any, saved: Path) -> None:
    page = visit(browser, saved).page
    assert page.evaluate("fleetMap.nodes()") == ["5", "6", "5", "4", "4"]
    worst = page.evaluate("fleetMap.colors()")
    page.locator("input[value=normal]").check()
    normal = page.evaluate("fleetMap.colors()")
    assert normal != worst
    page.locator("input[type=range]").fill("0")
    assert page.evaluate("fleetMap.nodes()") == ["4", "5", "4", "4", "3"]
    assert "months 0–5" in page.inner_text("[data-layer=period]")


def test_hostile_names_are_shown_and_do_not_run(browser: Any, saved: Path) -> None:
    seen = visit(browser, saved)
    for name in (HOSTILE_MARKUP, HOSTILE_TEMPLATE, HOSTILE_FORMULA):
        box = seen.page.locator("input[type=search]")
        box.fill(name)
        box.press("Enter")
        seen.page.wait_for_timeout(400)
        assert name in seen.page.locator(".leaflet-popup").last.inner_text()
    assert seen.page.locator(".leaflet-popup img").count() == 0
    assert seen.complaints == []
    assert seen.requests == [saved.as_uri()]


def test_cluster_popup_states_what_a_planner_asks(browser: Any, saved: Path) -> None:
    page = visit(browser, saved).page
    box = page.locator("input[type=search]")
    box.fill("Atlanta-c1")
    box.press("Enter")
    page.wait_for_timeout(300)
    words = page.inner_text(".leaflet-popup")
    for part in ("witness cloud", "nodes", "vCPU %", "standby at", "Chicago-c1", "stands by for", "RPO min"):
        assert part in words


def test_pointing_and_clicking_on_the_canvas(browser: Any, saved: Path) -> None:
    page = visit(browser, saved).page
    place = page.evaluate(
        "(() => { const p = fleetMap.map.latLngToContainerPoint([41.88, -87.63]); return [p.x, p.y] })()"
    )
    page.mouse.move(*place)
    page.wait_for_timeout(100)
    assert "Chicago-c1: 6 nodes" in page.inner_text(".fleet-hover")
    page.mouse.click(*place)
    page.wait_for_timeout(100)
    assert "existing" in page.inner_text(".leaflet-popup")


def test_clusters_of_one_site_stand_side_by_side(browser: Any, plan: Plan, tmp_path: Path) -> None:
    moved = tuple(
        row.model_copy(update={"site": "Chicago"}) if row.cluster == "Newark-c1" else row
        for row in plan.document.clusters
    )
    opened = tuple(row for row in plan.document.cluster_periods if row.cluster != "Reno-c1" or row.period > 0)
    changed = Plan(plan.document.model_copy(update={"clusters": moved, "cluster_periods": opened}))
    seen = visit(browser, to_map(changed).save(tmp_path / "two.html"))
    points = seen.page.evaluate(
        "fleetMap.groups.clusters.getLayers().map(l => [Math.round(l._point.x), Math.round(l._point.y)].join())"
    )
    assert len(set(points)) == 5
    seen.page.locator("input[type=range]").fill("0")
    assert seen.page.evaluate("fleetMap.nodes()") == ["4", "5", "4", "4", ""]
    assert seen.complaints == []


def test_notebook_frame_works_without_network(browser: Any, drawn: FleetMap, tmp_path: Path) -> None:
    page = tmp_path / "notebook.html"
    page.write_text(f"<!doctype html><meta charset=utf-8>{drawn._repr_html_()}", encoding="utf-8")
    seen = visit(browser, page)
    seen.page.wait_for_timeout(300)
    frame = seen.page.frames[1]
    assert frame.evaluate("fleetMap.counts.sites") == 59
    assert [url for url in seen.requests if not url.startswith(("file:", "about:"))] == []
    assert seen.complaints == []


def test_ten_thousand_sites_stay_usable(browser: Any, tmp_path: Path) -> None:
    drawn = to_map(many_sites_plan(10_000))
    assert len(drawn.html) < 3_000_000
    seen = visit(browser, drawn.save(tmp_path / "many.html"))
    assert counts(seen)["sites"] == 10_030
    assert counts(seen)["rings"] == 10_000
    assert seen.page.evaluate("document.querySelectorAll('*').length") < 1500
    assert seen.complaints == []


def test_smallest_plan_is_drawn(browser: Any, tmp_path: Path) -> None:
    """One site that runs its own demand: no links, no arcs, no slider, nothing to complain about."""
    seen = visit(browser, to_map(one_site_plan()).save(tmp_path / "small.html"))
    assert counts(seen) == {"sites": 1, "clusters": 1, "links": 0, "rings": 0, "arcs": 0, "spokes": 0}
    assert seen.page.locator("[data-layer=period]").count() == 0
    assert seen.complaints == []
