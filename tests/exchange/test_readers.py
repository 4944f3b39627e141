from __future__ import annotations

import csv
import json
import random
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import xlsxwriter

from fleet.errors import ExportError, InventoryError
from fleet.exchange.readers import from_frames, read, write_folder, write_workbook
from fleet.inventory.checks.inventory import checked_inventory
from fleet.inventory.inventory import Inventory
from fleet.inventory.synthetic import synthetic
from tests.inventory_tables import Tables, valid_tables


def write_csv(tables: Tables, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for table, rows in tables.items():
        columns = list(dict.fromkeys(name for row in rows for name in row))
        with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, restval="")
            writer.writeheader()
            writer.writerows(rows)
    return folder


def write_xlsx(sheets: dict[str, list[list[Any]]], path: Path) -> Path:
    workbook = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False})
    for name, grid in sheets.items():
        sheet = workbook.add_worksheet(name)
        for number, cells in enumerate(grid):
            sheet.write_row(number, 0, cells)
    workbook.close()
    return path


def grid(rows: list[dict[str, Any]]) -> list[list[Any]]:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return [columns, *([row.get(name, "") for name in columns] for row in rows)]


def problems_of(path: Path) -> list[str]:
    with pytest.raises(InventoryError, match="problem") as caught:
        read(path)
    return [str(problem) for problem in caught.value.problems]


@pytest.fixture
def inventory() -> Inventory:
    tables = valid_tables()
    tables["sites"][0].update(name="=HYPERLINK(1)", region="09119", x_cost="00012", latitude=0.1 + 0.2)
    tables["sites"][3].update(name='Größe, "quoted"; x', compliance="HIPAA;SOC 2")
    tables["policy"] += [{"key": "residual_value", "value": "straight_line"}, {"key": "start", "value": "2026-01-01"}]
    return checked_inventory("test", tables)


def test_folder_round_trip(inventory: Inventory, tmp_path: Path) -> None:
    write_folder(inventory, tmp_path / "fleet")
    again = read(tmp_path / "fleet")
    assert (again.sha256, again.name) == (inventory.sha256, "fleet")


def test_workbook_round_trip(inventory: Inventory, tmp_path: Path) -> None:
    write_workbook(inventory, tmp_path / "fleet.xlsx")
    again = read(tmp_path / "fleet.xlsx")
    assert (again.sha256, again.name) == (inventory.sha256, "fleet")
    assert dict(again.site("hub-a").extra) == {"x_cost": "00012"}


def test_workbook_is_a_template_without_formulas(inventory: Inventory, tmp_path: Path) -> None:
    write_workbook(inventory, tmp_path / "a.xlsx")
    write_workbook(inventory, tmp_path / "b.xlsx")
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist() if name.endswith(".xml")}
    assert not any("<f>" in text for name, text in parts.items() if "worksheets" in name)
    assert "hot,warm,archive" in parts["xl/worksheets/sheet4.xml"]
    assert "Unit: Mbit/s" in "".join(text for name, text in parts.items() if "comments" in name)
    assert 'name="readme"' in parts["xl/workbook.xml"]


def test_json_round_trip(inventory: Inventory, tmp_path: Path) -> None:
    (tmp_path / "fleet.json").write_text(json.dumps(inventory.tables), encoding="utf-8")
    assert read(tmp_path / "fleet.json").sha256 == inventory.sha256


def test_frames_round_trip(inventory: Inventory) -> None:
    frames = {table: pd.DataFrame(rows) for table, rows in inventory.tables.items()}
    assert from_frames(frames).sha256 == inventory.sha256


def test_frames_problems() -> None:
    frames: dict[str, Any] = {table: pd.DataFrame(rows) for table, rows in valid_tables().items()}
    frames["prices"] = [1]
    frames["growth"] = pd.concat([frames["growth"], frames["growth"][["month"]]], axis=1)
    frames["links"].loc[0, "bandwidth_mbps"] = -1
    with pytest.raises(InventoryError, match="3 problems") as caught:
        from_frames(frames)
    assert sorted(str(problem).split(" – ")[0] for problem in caught.value.problems) == [
        "INV001 prices",
        "INV003 growth:row 1 column month",
        "INV007 links:row 2 column bandwidth_mbps",
    ]


def test_synthetic_fleets_round_trip(tmp_path: Path) -> None:
    made = synthetic(sites=12, hubs=3, seed=4, distinct=True)
    write_folder(made, tmp_path / "folder")
    write_workbook(made, tmp_path / "book.xlsx")
    assert read(tmp_path / "folder").sha256 == read(tmp_path / "book.xlsx").sha256 == made.sha256


def test_shuffled_rows_read_to_the_same_inventory(tmp_path: Path) -> None:
    tables = valid_tables()
    first = read(write_csv(tables, tmp_path / "a"))
    for rows in tables.values():
        random.Random(1).shuffle(rows)
    assert read(write_csv(tables, tmp_path / "b")).sha256 == first.sha256


def test_forgiven_spellings_of_files(tmp_path: Path) -> None:
    folder = write_csv(valid_tables(), tmp_path / "fleet")
    sha256 = read(folder).sha256
    sites = (folder / "sites.csv").read_text(encoding="utf-8").split("\n", 1)
    (folder / "sites.csv").unlink()
    text = f"{sites[0].upper()},,\n,,,\n{sites[1]}\n\n".replace("\n", "\r\n")
    width = len(next(csv.reader([sites[0]])))
    padded = "\r\n".join(line + ",," if line.count(",") == width - 1 else line for line in text.split("\r\n"))
    (folder / "Sites.CSV").write_bytes(b"\xef\xbb\xbf" + padded.replace("\r\r", "\r").encode())
    (folder / "readme.csv").write_text("anything;at all", encoding="utf-8")
    (folder / "notes.md").write_text("#", encoding="utf-8")
    (folder / "scenarios.csv").write_text("scenario,table,row,column,action,value\n", encoding="utf-8")
    assert read(folder).sha256 == sha256


def test_workbook_skips_sheets_for_people_and_keeps_text(tmp_path: Path) -> None:
    tables = valid_tables()
    tables["sites"][0]["region"] = "09119"
    workbook = xlsxwriter.Workbook(str(tmp_path / "fleet.xlsx"))
    for name in ("ReadMe", "_old", "notes", "hidden"):
        sheet = workbook.add_worksheet(name)
        sheet.write_string(4, 4, "free")
        if name == "hidden":
            sheet.hide()
    for table, rows in tables.items():
        sheet = workbook.add_worksheet(table.upper())
        for number, cells in enumerate(grid(rows)):
            sheet.write_row(number, 0, cells)
    workbook.close()
    assert read(tmp_path / "fleet.xlsx").site("hub-a").region == "09119"


def test_row_numbers_are_those_of_the_spreadsheet(tmp_path: Path) -> None:
    tables = valid_tables()
    sheets = {table: grid(rows) for table, rows in tables.items()}
    sheets["sites"].insert(2, [])
    sheets["sites"][4][2] = 95
    write_xlsx(sheets, tmp_path / "fleet.xlsx")
    (found,) = problems_of(tmp_path / "fleet.xlsx")
    assert found.startswith("INV007 fleet.xlsx:sites:row 5 column latitude – got 95.0 degrees")
    folder = write_csv(tables, tmp_path / "fleet")
    lines = (folder / "sites.csv").read_text(encoding="utf-8").splitlines()
    lines[2:2] = ["", "," * lines[0].count(",")]
    lines[3 + 2] = lines[3 + 2].replace("network", 'net\n work"', 1).replace("net\n", '"net\n')
    (folder / "sites.csv").write_text(
        "\n".join([*lines, "s9,store,x" + "," * (lines[0].count(",") - 2)]), encoding="utf-8"
    )
    assert any(text.startswith("INV007 sites.csv:row 9 column latitude – got 'x'") for text in problems_of(folder))


def test_formula_errors_do_not_pass_for_blanks(tmp_path: Path) -> None:
    workbook = xlsxwriter.Workbook(str(tmp_path / "fleet.xlsx"))
    for table, rows in valid_tables().items():
        sheet = workbook.add_worksheet(table)
        for number, cells in enumerate(grid(rows)):
            sheet.write_row(number, 0, cells)
        if table == "links":
            sheet.write_formula(1, 5, "=1/0", None, "#DIV/0!")
    workbook.close()
    (found,) = problems_of(tmp_path / "fleet.xlsx")
    assert found.startswith("INV007 fleet.xlsx:links:row 2 column rtt_ms – got '#VALUE!'")
    assert "could not compute" in found


def test_stray_cell_far_away(tmp_path: Path) -> None:
    workbook = xlsxwriter.Workbook(str(tmp_path / "fleet.xlsx"))
    sheet = workbook.add_worksheet("sites")
    sheet.write_string(0, 0, "site")
    sheet.write_string(1_048_575, 16_383, "x")
    workbook.close()
    with pytest.raises(InventoryError, match=r"INV001 fleet\.xlsx:sites – it spans 1048576 rows and 16384 columns"):
        read(tmp_path / "fleet.xlsx")


PLANTED = [
    "INV001 pins.csv – it is no CSV file",
    "INV001 prices.csv – byte",
    "INV003 growth.csv:row 3 – the row has 4 cells, expected 2",
    "INV002 harware.csv – there is no table 'harware' – did you mean 'hardware'",
    "INV003 sites.csv:row 1 column kind – the column is given twice",
    "INV004 sites.csv:row 1 column latitud – table sites has no column 'latitud' – did you mean 'latitude'",
    "INV005 workloads.csv:row 1 column memory_gb – table workloads lacks its required column",
    "INV006 links.csv:row 3 column bandwidth_mbps – the cell is blank",
    "INV007 links.csv:row 2 column rtt_ms – got '12,5'",
    "INV007 workloads.csv:row 2 column tier – got 'hott', expected one of hot, warm, archive",
    "INV008 policy.csv:row 2 column key – there is no policy key 'hoizon_months' – did you mean 'horizon_months'",
    "INV010 links.csv:row 4 column link – link 'l1' is given twice, first at links.csv:row 2",
    "INV011 links.csv:row 3 column to – there is no site 'dever' – did you mean 'denver'",
    "INV011 workloads.csv:row 3 column kind – there is no site of kind 'shop'",
    "INV020 workloads.csv:row 4 column site – workload 'db' has neither site nor kind",
    "INV021 workloads.csv:row 2 column rpo_minutes – workload 'pos' has protection async",
    "INV022 sites.csv:row 4 column longitude – site 'lyon' has one coordinate",
    "INV024 sites.csv:row 5 column place – place 'Lemuria' is not among",
    "INV025 sites.csv:row 6 column place – place 'Springfield' fits 8 places",
    "INV027 links.csv:row 4 column to – the link starts and ends at 'denver'",
    "INV048 policy.csv:row 3 column value – period_months: got 36 months",
    "INV049 policy.csv:row 4 column value – objectives: objective 'capex' is not built yet",
]


def test_many_kinds_of_mistakes_are_named_in_one_run(tmp_path: Path) -> None:
    files: dict[str, str] = {
        "sites": "site,kind,latitud,latitude,longitude,place,can_host,kind\n"
        "denver,rdc,,39.7,-105,,yes,\nboulder,store,,40,-105.2,,,\nlyon,store,,45.7,,,,\n"
        "lemuria,store,,,,Lemuria,,\nspringfield,store,,,,Springfield,,\n",
        "links": "link,from,to,bandwidth_mbps,rtt_ms\n"
        'l1,denver,boulder,100,"12,5"\nl2,boulder,dever,,\nl1,denver,denver,100,4\n',
        "workloads": "workload,site,kind,vcpus,storage_gb,tier,protection\n"
        "pos,,store,2,100,hott,async\nvideo,,shop,2,100,,\ndb,,,2,100,,\n",
        "harware": "node_model\nstd\n",
        "growth": "profile,annual_rate\nsteady,0.1\nfast,0,2,3\n",
        "policy": "key,value\nhoizon_months,12\nperiod_months,36\nobjectives,capex\n",
        "pins": 'decision,site\nopen,"denver\n',
    }
    for table, text in files.items():
        (tmp_path / f"{table}.csv").write_text(text, encoding="utf-8")
    (tmp_path / "prices.csv").write_bytes(b"item,price\npower,\xff\xfe\n")
    found = problems_of(tmp_path)
    for planted in PLANTED:
        assert any(text.startswith(planted) for text in found), planted
    assert len(found) == len(PLANTED), "\n".join(found)


@pytest.mark.parametrize(
    ("name", "content", "pattern"),
    [
        ("fleet.json", b"", "INV001 .*fleet.json – the file is empty"),
        ("fleet.json", b'{"sites": [', "INV001 .* it is no JSON: .* at line 1 column"),
        ("fleet.json", b"[1]", "INV001 fleet.json – got a list, expected an object of tables"),
        ("fleet.json", b'{"sites": {}}', "INV001 fleet.json:sites – got an object, expected a list of rows"),
        ("fleet.json", b'{"sites": [3]}', r"INV003 fleet.json:sites\[0\] – got a number, expected an object"),
        ("fleet.json", b'{"sites": [{"site": 1, "site": 2}]}', "INV001 .* key 'site' is given twice"),
        ("fleet.json", b'{"sites": [{"latitude": NaN}]}', "INV001 .* NaN is no JSON number"),
        ("fleet.json", b'{"a": ' + b"9" * 5000 + b"}", "INV001 .* it is no JSON that can be read"),
        ("fleet.json", b"[" * 100_000, "INV001 .* it is no JSON"),
        ("fleet.json", b'{"x": "\xff"}', "INV001 .* byte 7 is not UTF-8"),
        ("fleet.json", b'{"schema": "fleet.plan/1"}', "INV001 fleet.json – this is a plan, expected an inventory"),
        ("fleet.xlsx", b"not a workbook", "INV001 .* it is no workbook that can be read"),
        ("fleet.xlsx", b"", "INV001 .* it is no workbook that can be read"),
        ("fleet.txt", b"x", "INV001 .* this is no inventory – give a folder of CSV files"),
        ("sites.csv", b"site\na\n", "INV001 .* this is no inventory – give the folder that holds it"),
    ],
)  # fmt: skip
def test_unreadable_files(name: str, content: bytes, pattern: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InventoryError, match=pattern):
        read(tmp_path / name)


@pytest.mark.parametrize(
    ("content", "pattern"),
    [
        (b"", "INV001 sites.csv – the file is empty"),
        (b"\n\n", "INV001 sites.csv – the file is empty"),
        (b",,\na,b,c\n", "INV001 sites.csv – its first row is blank"),
        (b"site;kind\na;b\n", "INV001 sites.csv – its cells are separated by semicolons"),
        (b"site\tkind\na\tb\n", "INV001 sites.csv – its cells are separated by tabulators"),
        (b"\xff\xfes\x00i\x00", "INV001 sites.csv – byte 0 is not UTF-8"),
        (b"site,kind\na\n", "INV003 sites.csv:row 2 – the row has 1 cells, expected 2 as in the header – add"),
        (b"site,\na,b\n", "INV003 sites.csv:row 2 – the row has 2 cells, expected 1 as in the header – quote"),
        (b"site,,kind\na,b,c\n", "INV003 sites.csv:row 1 – column B has cells and no header"),
        (b'site,kind\n"' + b"a" * 200_000 + b'",b\n', "INV001 sites.csv – it is no CSV file: field larger"),
    ],
)
def test_damaged_csv(content: bytes, pattern: str, tmp_path: Path) -> None:
    folder = write_csv(valid_tables(), tmp_path / "fleet")
    (folder / "sites.csv").write_bytes(content)
    with pytest.raises(InventoryError, match=pattern):
        read(folder)


def test_missing_paths(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name, pattern in (
        ("nowhere", "there is no such file"),
        ("empty", "holds no CSV file"),
        ("a\0b", "there is no such file"),
    ):
        with pytest.raises(InventoryError, match=pattern):
            read(tmp_path / name)


def test_table_given_twice(tmp_path: Path) -> None:
    folder = write_csv(valid_tables(), tmp_path / "fleet")
    shutil.copy(folder / "sites.csv", folder / "SITES.csv")
    with pytest.raises(InventoryError, match=r"INV002 sites\.csv – table 'sites' is given twice"):
        read(folder)


def test_writing_to_an_impossible_place(inventory: Inventory, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(ExportError, match="cannot be written"):
        write_folder(inventory, tmp_path / "file" / "fleet")
    with pytest.raises(ExportError, match="cannot be written"):
        write_workbook(inventory, tmp_path / "file" / "fleet.xlsx")


GARBAGE: tuple[Any, ...] = (
    "", " ", "x", "-1", "1e308", "1e999", "nan", "inf", "-0.0", "1,5", "1.5.2", "Ünïcödé", "\u202e\u200b", "\ud7ff",
    "a\x00b", "\x07", "=1+1", "yes", "no", "2024-13-01", "9" * 400, "a" * 40_000, "s1", "hub-a", ";;;", "{}", "None",
    "𝟙", "٣", "1_000",
)  # fmt: skip
VALUES: tuple[Any, ...] = (*GARBAGE, None, True, 3, -2.5, 10**400, [], ["a", 1], {}, {"a": 1}, "\ud800")


def outcome_of(call: Callable[[], Inventory]) -> Inventory | InventoryError:
    try:
        return call()
    except InventoryError as error:
        return error


def judge(outcome: Inventory | InventoryError) -> None:
    """An inventory must be usable and read back; an error must name its places on one line each."""
    if isinstance(outcome, InventoryError):
        assert outcome.problems
        assert all(problem.place and problem.message and problem.remedy for problem in outcome.problems)
        assert all("\n" not in str(problem) for problem in outcome.problems)
        str(outcome).encode("utf-8")
    else:
        assert checked_inventory("again", outcome.tables).sha256 == outcome.sha256
        for demand in outcome.demands:
            for period in range(len(outcome.periods)):
                outcome.amounts(demand, period)


def mutate_folder(folder: Path, generator: random.Random) -> None:
    """Damage one file of a folder in one way."""
    path = generator.choice(sorted(folder.glob("*.csv")))
    with path.open(encoding="utf-8", newline="") as file:
        cells = list(csv.reader(file))
    kind = generator.randrange(9)
    row, column = generator.randrange(len(cells)), generator.randrange(len(cells[0]))
    if kind <= 3:
        cells[row][column] = generator.choice(GARBAGE)
    elif kind == 4:
        cells = [[cell for at, cell in enumerate(line) if at != column] for line in cells]
    elif kind == 5:
        cells.append(list(generator.choice(cells)))
    elif kind == 6:
        del cells[row]
    elif kind == 7:
        cells[row].insert(column, "surplus")
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(cells)
    if kind == 8:
        other = generator.choice(sorted(folder.glob("*.csv")))
        content = path.read_bytes()
        path.write_bytes(other.read_bytes())
        other.write_bytes(content)
    if generator.random() < 0.1:
        content = bytearray(path.read_bytes())
        for _ in range(3):
            content[generator.randrange(len(content))] = generator.randrange(256)
        path.write_bytes(bytes(content))


@pytest.mark.parametrize("seed", range(200))
def test_damaged_folders_are_read_or_refused(seed: int, tmp_path: Path) -> None:
    generator = random.Random(seed)
    folder = write_csv(valid_tables(), tmp_path / "fleet")
    for _ in range(generator.randint(1, 3)):
        if (folder / "sites.csv").stat().st_size:
            try:
                mutate_folder(folder, generator)
            except (UnicodeDecodeError, IndexError, ValueError, csv.Error):
                break
    judge(outcome_of(lambda: read(folder)))


@pytest.mark.parametrize("seed", range(200))
def test_damaged_tables_are_read_or_refused(seed: int) -> None:
    generator = random.Random(seed)
    tables: Any = valid_tables()
    for _ in range(generator.randint(1, 3)):
        rows = tables[generator.choice(sorted(tables))]
        row = generator.choice(rows) if rows else {}
        match generator.randrange(6):
            case 0 | 1 | 2 | 3:
                row[generator.choice(sorted(row) or ["site"])] = generator.choice(VALUES)
            case 4:
                row[str(generator.choice(VALUES))] = generator.choice(VALUES)
            case _:
                rows[:] = [generator.choice(rows)] if rows else []
    judge(outcome_of(lambda: checked_inventory("test", tables)))


@pytest.mark.parametrize("seed", range(30))
def test_damaged_workbooks_are_read_or_refused(seed: int, tmp_path: Path) -> None:
    generator = random.Random(seed)
    path = write_xlsx({table: grid(rows) for table, rows in valid_tables().items()}, tmp_path / "fleet.xlsx")
    content = bytearray(path.read_bytes())
    for _ in range(generator.randint(1, 20)):
        content[generator.randrange(len(content))] = generator.randrange(256)
    path.write_bytes(bytes(content[: generator.choice((len(content), len(content), len(content) // 2))]))
    judge(outcome_of(lambda: read(path)))
