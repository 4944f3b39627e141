"""The documents as a site: no warning, nothing fetched from elsewhere, reference pages as the code has it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import fields, is_dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import fleet
import solvers
import solvers.location
from fleet.inventory.inventory import INPUT_TABLES
from fleet.inventory.tables.policy import Policy
from fleet.plan.plan import PLAN_TABLES
from fleet.plan.rules import RULES
from fleet.tables import describe
from solvers.parameters import Parameters

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("mkdocs", reason="mkdocs is absent: it comes with the docs extra")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr
    return folder


def page(site, name):
    return (site / name).read_text(encoding="utf-8")


class Fetched(HTMLParser):
    """What a browser fetches when it opens a page."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag in ("script", "img", "iframe", "source", "video", "audio", "embed", "object"):
            self.found += [values.get(name) for name in ("src", "srcset", "data") if values.get(name)]
        if tag == "link" and values.get("rel") not in ("canonical", "prev", "next"):
            self.found.append(values.get("href"))


def test_no_page_fetches_anything_from_elsewhere(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 20
    for path in pages:
        for target in Fetched(path.read_text(encoding="utf-8")).found:
            assert not re.match(r"(https?:)?//", target), f"{path.name}: {target}"
    for path in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(https?:)?//", path.read_text(encoding="utf-8")), path.name
        assert "@import" not in path.read_text(encoding="utf-8"), path.name


def test_formulas_are_drawn_by_the_browser(site):
    text = page(site, "model.html")
    assert text.count("<math") > 200
    assert "arithmatex" not in text
    assert not re.search(r"\\(sum|text|frac|le)\b", text)


def test_rooms_are_drawn_from_the_code(site):
    text = page(site, "architecture.html")
    assert text.count("<svg") >= 2
    for room in ("formulation", "strategies", "local_search", "exchange", "platform"):
        assert f">{room}</text>" in text
    assert "circles of modules: 0, of rooms: 0" in text


def test_reference_pages_are_complete(site):
    inputs, plans = page(site, "reference/input-tables.html"), page(site, "reference/plan-tables.html")
    for row in (*INPUT_TABLES.values(), Policy):
        for entry in describe(row):
            assert f"<code>{entry.name}</code>" in inputs
    for row in PLAN_TABLES.values():
        for entry in describe(row):
            assert f"<code>{entry.name}</code>" in plans
    rules = page(site, "reference/rules.html")
    assert all(f"<code>{rule.id}</code>" in rules for rule in RULES)
    parameters = page(site, "reference/parameters.html")
    pending: list[Any] = [Parameters()]
    while pending:
        held = pending.pop()
        for entry in fields(held):
            if is_dataclass(getattr(held, entry.name)):
                pending.append(getattr(held, entry.name))
            else:
                assert f"<code>{entry.name}</code>" in parameters
                assert entry.metadata["unit"] or entry.metadata["meaning"]


def test_the_library_page_has_every_public_name(site):
    text = page(site, "reference/library.html")
    for package in (fleet, solvers, solvers.location):
        for name in package.__all__:
            assert name.startswith("__") or f"{package.__name__}.{name}" in text, name


def test_decisions_schemas_and_changes_are_reachable(site):
    assert "one-place-one-host" in page(site, "decisions.html")
    assert (site / "schemas" / "plan.schema.json").exists()
    assert "schemas/plan.schema.json" in page(site, "index.html")
    assert fleet.__version__ in page(site, "changelog.html")


def test_pages_open_in_a_browser_without_an_error(site):
    """Chromium draws a page from its file; what it asks the network for would fail and be logged."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is absent: `make system-packages` installs it")
    done = subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", (site / "model.html").as_uri()],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout.count("<math") > 200
    assert not Fetched(done.stdout).found or all(
        not re.match(r"(https?:)?//", target) for target in Fetched(done.stdout).found
    )
