"""The report: self-contained, escaped, and saying what the plan says."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from fleet.errors import ExportError, PlanError
from fleet.exchange.maps.page import to_map
from fleet.exchange.plan_inventory import inventory_of
from fleet.exchange.report.charts import PALETTE, load_color, short, stacked_bars, utilization_bar
from fleet.exchange.report.operations import _spans
from fleet.exchange.report.page import report_html, to_report
from fleet.exchange.report.sections import layout_text
from fleet.exchange.report.small_map import MAP_HEIGHT, MAP_WIDTH, plan_map
from fleet.failures.sweep import context_of
from fleet.operations.volume_rows import plan_volumes
from fleet.plan.plan import Finding, Plan, UnservedRow
from fleet.platform.capacity import cluster_capacity
from fleet.rulepack import load_rulepack
from tests.exchange.browser import launched, visit
from tests.exchange.many_sites import many_sites_plan, one_site_plan
from tests.exchange.plan_fixture import HOSTILE_FORMULA, HOSTILE_MARKUP, HOSTILE_TEMPLATE, fixture_plan
from tests.failures.small_plans import small_inventory, small_plan

VOID = {"meta", "br", "link", "img", "input", "hr"}


class Outline(HTMLParser):
    """Every tag in order, and whether they nest."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.targets += [value or "" for name, value in attrs if name in ("href", "src", "xlink:href", "action")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def plan() -> Plan:
    return fixture_plan()


@pytest.fixture(scope="module")
def page(plan: Plan) -> str:
    return report_html(plan)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as found:
        yield found


def with_rows(plan: Plan, **tables: Any) -> Plan:
    return Plan(plan.document.model_copy(update=tables))


def section(page: str, name: str) -> str:
    return page.split(f'<section id="{name}">')[1].split("</section>")[0]


def test_page_is_well_formed_and_self_contained(page: str) -> None:
    outline = Outline()
    outline.feed(page)
    assert outline.open == []
    assert not {"script", "link", "img", "iframe", "object", "form"} & set(outline.tags)
    assert all(target.startswith("#") for target in outline.targets)
    assert "default-src 'none'" in page
    assert page.index("Content-Security-Policy") < page.index("<style")


def test_equal_plans_give_equal_text(page: str) -> None:
    assert report_html(fixture_plan()) == page


def test_hostile_names_are_escaped(page: str) -> None:
    assert HOSTILE_MARKUP not in page
    assert html.escape(HOSTILE_MARKUP) in page
    assert HOSTILE_TEMPLATE in page
    assert HOSTILE_FORMULA in page


def test_decision_names_every_cluster_with_its_nodes(page: str, plan: Plan) -> None:
    decision = section(page, "decision")
    for row in plan.document.clusters:
        assert row.cluster in decision
    assert "5 · 6 · 6" in decision
    assert "three-way-mirror; archive dual-parity" in decision
    assert decision.count('class="bar"') == 5 * 3 + 1


def test_costs_add_up_to_the_totals(page: str, plan: Plan) -> None:
    cost = section(page, "cost")
    totals = plan.totals
    foot = re.search(r"<tfoot>(.*?)</tfoot>", cost, re.DOTALL)
    assert foot is not None
    assert f"{totals.capex + totals.opex:,.0f}" in foot.group(1)
    assert f"{totals.present_value:,.0f}" in foot.group(1)
    body = cost.split("<tbody>")[1].split("</tbody>")[0]
    present = [float(row.rpartition(">")[2].replace(",", "")) for row in re.findall(r"<tr>.*?</tr>", body, re.DOTALL)
               for row in [row.rpartition("</td>")[0]]]  # fmt: skip
    assert sum(present) == pytest.approx(totals.present_value, abs=len(present))


def test_proof_states_bound_gap_and_provenance(page: str, plan: Plan) -> None:
    proof = section(page, "proof")
    result, document = plan.result, plan.document
    assert f"{result.bound:,.2f} (lagrangian)" in proof
    assert re.search(r"What the bound leaves open</\w+>\s*<\w+>relaxed: workloads in one piece<", proof, re.IGNORECASE)
    assert "1.2900%" in proof
    for part in ("time limit", "decompose", document.inventory.sha256, document.generator.ortools, "growth-12"):
        assert part in proof


def test_plan_without_bound_says_so(plan: Plan) -> None:
    result = plan.result.model_copy(update={"bound": None, "gap": None, "bound_source": "", "objectives": ()})
    proof = section(report_html(with_rows(plan, result=result)), "proof")
    assert "There is no bound" in proof
    assert "unknown, as there is no bound" in proof


def test_traces_add_up_to_usable_capacity(page: str, plan: Plan) -> None:
    capacity = section(page, "capacity")
    inventory = inventory_of(plan)
    model = inventory.node_model_by_name["MC-48"]
    layout = {"hot": "three-way-mirror", "warm": "three-way-mirror", "archive": "dual-parity"}
    usable = cluster_capacity(model, 6, layout, inventory.policy, load_rulepack("azure-local")).usable
    block = capacity.split("6 × MC-48")[1]
    for amount in (usable.vcpu, usable.memory_gb, usable.pool_tb):
        assert f"{amount:,.1f}" in block


def test_network_lists_quorum_and_the_fullest_link_first(page: str, plan: Plan) -> None:
    network = section(page, "network")
    assert "pool quorum" in network
    assert network.count("4 × 25 Gbit/s") == 5
    links = network.split("Links, fullest first")[1]
    worst = max(plan.document.links, key=lambda row: row.worst_mbps / row.capacity_mbps)
    assert html.escape(worst.link) in links.split("<tbody>")[1].split("</tr>")[0]
    assert worst.worst_case in links


def test_recovery_compares_points_with_objectives(page: str, plan: Plan) -> None:
    recovery = section(page, "recovery")
    pairs = {(row.cluster, row.standby, row.mechanism) for row in plan.document.standbys}
    assert recovery.partition("<h3>")[0].count("<tr>") == len(pairs) + 1
    assert "application sync" in recovery
    assert "erp at St. Louis" in recovery


def test_risks_hold_findings_failures_and_alerts(page: str) -> None:
    risks = section(page, "risks")
    assert "erp at St. Louis has a single point of failure" in risks
    assert "failed one at a time" in risks
    assert "network:MPLS" in risks
    assert "Alerts ahead" in risks
    assert "thresholds" in risks


def test_alerts_ahead_are_listed_by_month(plan: Plan) -> None:
    copy = plan.document.inventory
    tables = {**copy.tables, "growth": [{"profile": "retail", "annual_rate": 0.6}]}
    fast = with_rows(plan, inventory=copy.model_copy(update={"tables": tables}))
    alerts = section(report_html(fast), "risks").split("Alerts ahead")[1]
    months = [int(month) for month in re.findall(r'<td class="number">(\d+)</td><td>\w+-c1', alerts)]
    assert months
    assert months == sorted(months)
    assert "planned limit" in alerts


def test_errors_come_first_and_make_the_plan_unfit(plan: Plan) -> None:
    error = Finding(rule="CAP-001", severity="error", subject="Reno-c1", message="over capacity", actual=2, limit=1)
    page = report_html(with_rows(plan, findings=(*plan.document.findings, error)))
    assert "not fit: the audit has 1 error and 4 warnings" in page
    risks = section(page, "risks")
    assert risks.index("CAP-001") < risks.index("NET-004")


def test_unserved_demands_are_named(plan: Plan) -> None:
    rows = tuple(UnservedRow(workload="pos", site=f"store {n}", reason="too far") for n in range(50))
    decision = section(report_html(with_rows(plan, unserved=rows)), "decision")
    assert "store 39" in decision
    assert "store 41" not in decision
    assert "and 10 more" in decision


def test_operations_hold_calendar_backups_balance_and_checklist(page: str, plan: Plan) -> None:
    text = section(page, "operations")
    for title in ("Rolling maintenance", "Backups", "Balance in the last period", "Security baseline", "SOC 2"):
        assert title in text
    calendar = text.split("Rolling maintenance")[1].split("Backups")[0]
    for row in plan.document.clusters:
        assert row.cluster in calendar
    partners = {row.cluster: {row.standby} for row in plan.document.standbys}
    for cluster, others in partners.items():
        line = next(part for part in calendar.split("<tr") if f"<td>{cluster}</td>" in part)
        assert all(other in line for other in others)
    assert "drift control" in text
    assert "A1.2" in text


def test_months_are_told_as_ranges() -> None:
    assert _spans([0, 1, 2, 4, 6, 7]) == "0–2, 4, 6–7"
    assert _spans([]) == ""


def test_a_plan_that_cannot_be_laid_out_has_no_operations(plan: Plan) -> None:
    tables = {
        **plan.document.inventory.tables,
        "policy": [*plan.document.inventory.tables["policy"], {"key": "rule_pack", "value": "lost"}],
    }
    copy = plan.document.inventory.model_copy(update={"tables": tables})
    text = section(report_html(with_rows(plan, inventory=copy)), "operations")
    assert "Not computed" in text


def test_assumptions_name_estimates_and_unpublished_facts(page: str) -> None:
    assumptions = section(page, "assumptions")
    assert "52 of 66 links state no measured round trip" in assumptions
    assert "Between members of MPLS the distance counts 0.01728 ms/km, an estimate." in assumptions
    assert "default network" in assumptions
    assert "Facts that nobody publishes" in assumptions


def test_missing_rule_pack_leaves_the_rest(plan: Plan) -> None:
    copy = plan.document.inventory
    policy = [*copy.tables["policy"], {"key": "rule_pack", "value": "gone.toml"}]
    moved = copy.model_copy(update={"tables": {**copy.tables, "policy": policy}})
    page = report_html(with_rows(plan, inventory=moved))
    assert "rule pack &#39;gone.toml&#39; is not at hand" in page
    assert "Chicago-c1" in section(page, "decision")


def test_smallest_plan_and_large_fleet_make_a_report(tmp_path: Path) -> None:
    small = to_report(one_site_plan(), tmp_path / "small.html").read_text(encoding="utf-8")
    assert "nothing asks for a standby" in small
    large = report_html(many_sites_plan(3_000))
    assert len(large) < 1_000_000
    assert "Not computed for a fleet of this size" in large


def test_saving_into_a_file_as_folder_is_an_export_error(plan: Plan, tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("x")
    with pytest.raises(ExportError, match="cannot be written"):
        to_report(plan, blocker / "report.html")


@pytest.mark.parametrize("export", [report_html, to_map])
def test_rows_that_name_nothing_are_all_reported(plan: Plan, export: Any) -> None:
    first, *others = plan.document.assignments
    lost = first.model_copy(update={"cluster": "Nowhere-c1"})
    late = plan.document.actions[0].model_copy(update={"period": 9})
    broken = with_rows(plan, assignments=(lost, *others), actions=(late,))
    with pytest.raises(
        PlanError, match=r"assignments:row 1 column cluster – got 'Nowhere-c1'(.|\n)*got 9, expected 0 to 2"
    ):
        export(broken)


def test_utilization_bar_shows_load_and_reserve() -> None:
    assert ">70%<" in utilization_bar(50, 20, 100)
    assert utilization_bar(1, 0, 0) == "–"
    assert ">150%<" in utilization_bar(150, 0, 100)


def test_load_colors_change_at_their_limits() -> None:
    assert load_color(0.4999) != load_color(0.5)
    assert load_color(1.0) == load_color(0.85)
    assert load_color(1.001) != load_color(1.0)


def test_stacked_bars_escape_names_and_skip_negative_parts() -> None:
    chart = stacked_bars(["P1"], [("<b>", [10.0]), ("residual", [-5.0])], "USD")
    assert "<b>" not in chart
    assert "&lt;b&gt;" in chart
    assert chart.count("<title>") == 1


def test_amounts_are_shortened() -> None:
    assert [short(value) for value in (1_250_000, 840_000, 12, 3.2e9)] == ["1.25 M", "840 k", "12", "3.2 G"]


def test_layout_names_the_tiers_that_differ() -> None:
    assert layout_text({"hot": "a", "warm": "a", "archive": "b"}) == "a; archive b"
    assert layout_text({"hot": "a", "warm": "a", "archive": "a"}) == "a"
    assert layout_text({}) == "–"


def test_map_keeps_every_cluster_inside(plan: Plan) -> None:
    drawing = plan_map(plan, inventory_of(plan))
    assert drawing is not None
    circles = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', drawing)
    assert len(circles) == 5
    for x, y in circles:
        assert 0 < float(x) < MAP_WIDTH
        assert 0 < float(y) < MAP_HEIGHT


def test_browser_shows_the_report_without_network(browser: Any, plan: Plan, tmp_path: Path) -> None:
    path = to_report(plan, tmp_path / "report.html")
    seen = visit(browser, path)
    assert seen.requests == [path.as_uri()]
    assert seen.complaints == []
    assert seen.page.locator("svg.map circle").count() == 5
    assert seen.page.locator("img").count() == 0
    assert HOSTILE_MARKUP in seen.page.inner_text("#recovery")
    assert seen.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_small_costs_are_summed_where_a_chart_has_too_few_colors() -> None:
    series = [(f"term {number}", [100.0 - number, 50.0]) for number in range(len(PALETTE) + 3)]
    text = str(stacked_bars(["P1", "P2"], series, "USD"))
    assert text.count("<title>") == 2 * len(PALETTE)
    assert "4 others, P1" in text
    assert f"{sum(100.0 - number for number in range(len(PALETTE) - 1, len(PALETTE) + 3)):,.0f}" in text
    assert all(f"term {number}, P1" in text for number in range(len(PALETTE) - 1))
    assert "others" not in str(stacked_bars(["P1"], [(name, values[:1]) for name, values in series[:10]], "USD"))


def test_volumes_stand_in_the_report() -> None:
    plan = one_site_plan()
    text = report_html(plan)
    first = plan_volumes(context_of(plan))[0]
    assert "Volumes at the end of the horizon" in text
    assert f"<td>{first.resiliency.replace('-', ' ')}</td>" in text


def test_backup_products_of_the_rule_pack_are_named() -> None:
    text = report_html(small_plan(small_inventory(web={"backup_days": 7})))
    for product in load_rulepack("azure-local").texts("backup.products"):
        assert product in text
