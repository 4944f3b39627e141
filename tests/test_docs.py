"""What the documents promise exists: commands, options, files, public names."""

from __future__ import annotations

import doctest
import re
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from typer.main import get_command

import fleet
from fleet.inventory.inventory import INPUT_TABLES
from fleet.inventory.tables.policy import Policy
from fleet.plan.plan import PLAN_TABLES
from fleet.plan.rules import RULES
from fleet.tables import describe
from solvers.command import application

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted(ROOT.glob("data/**/README.md")),
    *sorted(ROOT.glob("docs/**/*.md")),
]
VERBS = get_command(application.app).commands
COMMAND = re.compile(r"(?:^|`|\$ )fleet ([a-z]+)((?: [^`\n]*)?)", re.MULTILINE)


MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for folder in ("fleet", "solvers")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name):
    failed, _ = doctest.testmod(import_module(name), optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert not failed


def commands(path):
    return [
        (verb, rest) for verb, rest in COMMAND.findall(path.read_text(encoding="utf-8")) if not verb.startswith("is")
    ]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_in_documents_exist(path):
    for verb, rest in commands(path):
        assert verb in VERBS, f"{path.name}: fleet {verb}"
        options = {option for parameter in VERBS[verb].params for option in parameter.opts}
        for option in re.findall(r"(?<![\w-])(--?[a-z][a-z-]*)", rest):
            assert option in options, f"{path.name}: fleet {verb} {option}"


def test_the_readme_shows_every_verb():
    shown = {verb for verb, _ in commands(ROOT / "README.md")}
    assert shown >= set(VERBS)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_in_documents_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#]+)", path.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://")):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_make_targets_in_the_readme_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for target in re.findall(r"make ([a-z][a-z-]+)\b(?=`|\n| +#)", (ROOT / "README.md").read_text(encoding="utf-8")):
        assert target in targets, target


def test_keys_and_columns_in_the_decisions_exist():
    """What is written as `key = value` or ``KEY-001`` there is a policy key, a column, or a rule."""
    text = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
    known = set(Policy.model_fields) | {name for row in INPUT_TABLES.values() for name in row.model_fields}
    for name in re.findall(r"`([a-z_]+) = ", text):
        assert name in known, name
    for rule in re.findall(r"`([A-Z]{3}-\d{3})`", text):
        assert rule in {entry.id for entry in RULES} | {"OPS-104"}, rule


def test_public_names_in_the_readme_exist():
    for name in re.findall(r"\bfleet\.([a-z_]+)\(", (ROOT / "README.md").read_text(encoding="utf-8")):
        assert name in fleet.__all__, name


def test_the_version_is_stated_once():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["dynamic"] == ["version"]
    stated = ROOT / project["tool"]["hatch"]["version"]["path"]
    assert f'__version__ = "{fleet.__version__}"' in stated.read_text(encoding="utf-8")


def test_the_changelog_begins_with_this_version():
    versions = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert versions[0] == fleet.__version__
    assert versions == sorted(versions, key=lambda version: tuple(map(int, version.split("."))), reverse=True)


def test_the_citation_is_of_this_version():
    citation = YAML(typ="safe", pure=True).load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == fleet.__version__
    assert citation["license"] == "MIT"
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()


@pytest.mark.parametrize("path", sorted((ROOT / ".github").rglob("*.md")), ids=lambda path: path.name)
def test_templates_speak_of_commands_and_targets_that_exist(path):
    text = path.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)`", text)) <= targets
    assert {verb for verb, _ in commands(path)} <= set(VERBS)


def looked_up(name):
    """Whether a name in code exists: a column or policy key, or a module with or without something in it."""
    first, _, rest = name.partition(".")
    if first == "policy":
        return rest in Policy.model_fields
    tables = {**PLAN_TABLES, **INPUT_TABLES}
    if first in tables:
        rows = [table[first] for table in (INPUT_TABLES, PLAN_TABLES) if first in table]
        return any(rest == entry.name for row in rows for entry in describe(row))
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found = import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for part in parts[count:]:
            found = getattr(found, part, None)
        return found is not None
    return False


def test_words_of_the_glossary_are_in_the_code():
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| **")]
    assert len(rows) > 60
    for row in rows:
        word, _, place = (cell.strip() for cell in row.strip("|").split("|"))
        names = re.findall(r"`([^`]+)`", place)
        assert names, word
        for name in names:
            assert looked_up(name), f"{word}: {name}"
    words = [word for row in rows for word in re.findall(r"\*\*([^*]+)\*\*", row.split("|")[1])]
    assert len(words) == len(set(words))


@pytest.mark.parametrize("path", sorted(ROOT.glob("docs/**/*.md")), ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_and_files_in_the_documents_exist(path):
    text = path.read_text(encoding="utf-8")
    for name in re.findall(r"`((?:fleet|solvers)(?:\.[a-z_]+)+)`", text):
        assert looked_up(name), name
    for name in re.findall(r"`((?:fleet|solvers|tests|docs|tools)/[\w/.-]+)`", text):
        made = re.findall(r'title="([^"]+)"', text)
        assert (ROOT / name).exists() or name in made, name


def test_every_page_is_in_the_navigation():
    pages = {str(path.relative_to(ROOT / "docs")) for path in ROOT.glob("docs/**/*.md")}
    site = YAML(typ="safe", pure=True).load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))

    def listed(entry):
        if isinstance(entry, str):
            return {entry}
        parts = entry.values() if isinstance(entry, dict) else entry
        return set().union(*map(listed, parts))

    assert listed(site["nav"]) == pages
