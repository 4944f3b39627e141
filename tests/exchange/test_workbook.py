"""The workbook: exact tables, no formulas out of names, repeatable bytes, and readable in LibreOffice."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
import warnings
import zipfile

import openpyxl
import pytest
from plan_fixture import HOSTILE_FORMULA, fixture_plan
from python_calamine import CalamineWorkbook

import fleet
from fleet.errors import ExportError
from fleet.exchange.figures import figures
from fleet.failures.sweep import normal_of
from fleet.failures.tables import FAILURE_TABLES, failure_tables
from fleet.operations.tables import OPERATIONS_TABLES
from fleet.plan.plan import PLAN_TABLES, Plan
from fleet.tables import describe


@pytest.fixture(scope="module")
def plan():
    return fixture_plan()


def opened(book):
    """The workbook as openpyxl reads it; it does not know the extensions of Excel 2010."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*extension is not supported")
        return openpyxl.load_workbook(io.BytesIO(book.read_bytes()))


@pytest.fixture(scope="module")
def book(plan, tmp_path_factory):
    path = tmp_path_factory.mktemp("book") / "plan.xlsx"
    fleet.to_excel(plan, path)
    return path


def test_the_summary_comes_first_and_every_table_has_its_sheet(book):
    names = CalamineWorkbook.from_path(book).sheet_names
    assert names[0] == "Summary"
    assert names[1 : 1 + len(PLAN_TABLES)] == list(PLAN_TABLES)
    assert "in_sites" in names
    assert names[-1] == "dictionary"


@pytest.mark.parametrize("table", list(OPERATIONS_TABLES))
def test_every_operations_table_has_its_sheet(book, table):
    rows = CalamineWorkbook.from_path(book).get_sheet_by_name(f"op_{table}").to_python()
    assert rows[0] == [entry.name for entry in describe(OPERATIONS_TABLES[table])]


@pytest.mark.parametrize("table", list(FAILURE_TABLES))
def test_every_table_about_failures_has_its_sheet(book, plan, table):
    rows = CalamineWorkbook.from_path(book).get_sheet_by_name(f"dr_{table}").to_python()
    assert rows[0] == [entry.name for entry in describe(FAILURE_TABLES[table])]
    assert len([row for row in rows[1:] if any(row)]) == len(failure_tables(plan, normal_of(plan))[table])


def test_a_plan_without_its_rule_pack_has_no_operations_sheets(plan, tmp_path):
    tables = {
        **plan.document.inventory.tables,
        "policy": [*plan.document.inventory.tables["policy"], {"key": "rule_pack", "value": "lost"}],
    }
    copy = plan.document.inventory.model_copy(update={"tables": tables})
    fleet.to_excel(Plan(plan.document.model_copy(update={"inventory": copy})), tmp_path / "plan.xlsx")
    names = CalamineWorkbook.from_path(tmp_path / "plan.xlsx").sheet_names
    assert not [name for name in names if name.startswith(("op_", "dr_"))]


@pytest.mark.parametrize("table", list(PLAN_TABLES))
def test_a_sheet_holds_exactly_the_columns_and_rows_of_its_table(book, plan, table):
    rows = CalamineWorkbook.from_path(book).get_sheet_by_name(table).to_python()
    assert rows[0] == [entry.name for entry in describe(PLAN_TABLES[table])]
    assert len([row for row in rows[1:] if any(cell != "" for cell in row)]) == len(getattr(plan.document, table))


def test_values_arrive(book, plan):
    rows = CalamineWorkbook.from_path(book).get_sheet_by_name("costs").to_python()
    assert sum(row[4] for row in rows[1:]) == pytest.approx(plan.totals.capex + plan.totals.opex)
    layout = CalamineWorkbook.from_path(book).get_sheet_by_name("cluster_periods").to_python()[1][3]
    stated = plan.document.cluster_periods[0].layout
    assert layout == "; ".join(f"{tier}={kind}" for tier, kind in stated.items())


def test_tables_are_real_tables_with_filters(book):
    workbook = opened(book)
    for table in PLAN_TABLES:
        (found,) = workbook[table].tables.values()
        assert found.autoFilter is not None
        assert workbook[table].freeze_panes == "B2"


def test_no_name_becomes_a_formula(book):
    workbook = opened(book)
    formulas = [
        (sheet.title, cell.coordinate, cell.value)
        for sheet in workbook
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
    ]
    assert {title for title, _, _ in formulas} == {"Summary"}
    assert all(str(value).startswith("=SUM(") for _, _, value in formulas)
    texts = [cell.value for row in workbook["assignments"].iter_rows() for cell in row]
    assert HOSTILE_FORMULA in texts


def test_the_summary_states_decision_and_proof(book, plan):
    cells = [
        str(cell) for row in CalamineWorkbook.from_path(book).get_sheet_by_name("Summary").to_python() for cell in row
    ]
    text = "\n".join(cells)
    assert plan.document.inventory.sha256 in text
    assert "clean (4 warnings, 2 notes)" in text
    assert "lagrangian" in text
    assert f"{plan.totals.present_value:,.0f} USD" in text


def test_totals_on_the_summary_carry_their_value(book, plan):
    rows = CalamineWorkbook.from_path(book).get_sheet_by_name("Summary").to_python()
    (total,) = [row for row in rows if row[0] == "total"]
    assert total[4] == pytest.approx(plan.totals.capex + plan.totals.opex)
    assert total[1] + total[2] + total[3] == pytest.approx(total[4])


def test_bytes_repeat(plan, book, tmp_path):
    fleet.to_excel(plan, tmp_path / "again.xlsx")
    assert (tmp_path / "again.xlsx").read_bytes() == book.read_bytes()


def test_an_empty_plan_and_a_long_horizon_can_be_written(plan, tmp_path):
    document = plan.document
    periods = tuple(row.model_copy(update={"period": index}) for index in range(20) for row in document.periods[:1])
    empty = {table: () for table in PLAN_TABLES if table != "periods"}
    fleet.to_excel(Plan(document.model_copy(update={**empty, "periods": periods})), tmp_path / "plan.xlsx")
    names = CalamineWorkbook.from_path(tmp_path / "plan.xlsx").sheet_names
    assert "clusters" in names


def test_an_unwritable_path_is_an_export_error(plan, tmp_path):
    (tmp_path / "taken").write_text("x", encoding="utf-8")
    with pytest.raises(ExportError, match="cannot be written"):
        fleet.to_excel(plan, tmp_path / "taken" / "plan.xlsx")


def test_csv_files_hold_the_tables(plan, tmp_path):
    fleet.to_csv(plan, tmp_path)
    derived = [*(f"dr_{table}" for table in FAILURE_TABLES), *(f"op_{table}" for table in OPERATIONS_TABLES)]
    assert sorted(path.stem for path in tmp_path.iterdir()) == sorted([*PLAN_TABLES, *derived])
    with (tmp_path / "op_maintenance.csv").open(encoding="utf-8", newline="") as stream:
        calendar = list(csv.DictReader(stream))
    assert {row["cluster"] for row in calendar} == {row.cluster for row in plan.document.clusters}
    with (tmp_path / "links.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(plan.document.links)
    assert rows[0]["from"] == plan.document.links[0].from_


def test_figures_count_what_is_there(plan):
    shown = figures(plan)
    assert (shown.clusters, shown.nodes_first, shown.nodes_last) == (5, 20, 24)
    assert shown.standbys == len(plan.document.standbys)
    assert sum(sum(amounts) for amounts in shown.cost.values()) == pytest.approx(plan.totals.capex + plan.totals.opex)
    assert all(0 < share < 1.5 for use in shown.uses for share in use.use.values())


def test_libreoffice_draws_every_sheet(book, tmp_path):
    soffice, pdftoppm = shutil.which("soffice"), shutil.which("pdftoppm")
    if soffice is None or pdftoppm is None:
        pytest.skip("LibreOffice or poppler is absent: `make system-packages` installs them")
    profile = f"-env:UserInstallation=file://{tmp_path / 'profile'}"
    command = [soffice, profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), str(book)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    subprocess.run(
        [pdftoppm, "-r", "30", "-f", "1", "-l", "1", "-png", tmp_path / "plan.pdf", tmp_path / "page"], check=True
    )
    (page, *_) = tmp_path.glob("page*.png")
    assert page.stat().st_size > 2_000
    pdftotext = shutil.which("pdftotext")
    if pdftotext is not None:
        text = subprocess.run(
            [pdftotext, "-layout", tmp_path / "plan.pdf", "-"], check=True, capture_output=True
        ).stdout
        assert b"###" not in text
        assert b"Fleet plan: us-retail" in text


def test_control_characters_do_not_spoil_the_file(plan, tmp_path):
    row = plan.document.assignments[0].model_copy(update={"workload": "a\x07b\ud7ff" + "c" * 40_000})
    fleet.to_excel(Plan(plan.document.model_copy(update={"assignments": (row,)})), tmp_path / "plan.xlsx")
    with zipfile.ZipFile(tmp_path / "plan.xlsx") as archive:
        assert archive.testzip() is None
    assert (
        CalamineWorkbook.from_path(tmp_path / "plan.xlsx")
        .get_sheet_by_name("assignments")
        .to_python()[1][0]
        .startswith("a")
    )
