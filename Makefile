# Every target works from a bare clone with Python 3.11 or later, make and pip.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(PYTHON) -m pip --disable-pip-version-check --python $(BIN)/python install --quiet

.PHONY: plan test slow wheel lint format docs architecture schemas examples system-packages clean

# Plans the retail example: 250 stores, 10 regional distribution centers.
plan: $(VENV)/.installed
	$(BIN)/fleet plan data/retail -o out/retail --time-limit 300 --gap 0.03

# The notebook runs with the tests, one file of tests on each core at a time.
test: $(VENV)/.installed-dev lint
	$(BIN)/python -m pytest -n auto --dist loadfile --nbmake tests notebooks

slow: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n auto --dist worksteal -m slow

# What users get: the wheel in fresh environments outside the clone, on every Python that is here, then with the oldest
# dependencies that are allowed.
wheel: $(VENV)/.installed-dev
	$(BIN)/python tools/try_wheel.py --every-python
	$(BIN)/python tools/try_wheel.py --lowest

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The documents as a site in out/docs: no warning, no network. The variable silences what the theme says about its successor.
docs: $(VENV)/.installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# Modules of every room, imports within and across rooms, circles.
architecture: $(BIN)/python
	$(BIN)/python tools/architecture.py

schemas: $(VENV)/.installed
	$(BIN)/fleet schema -o docs/schemas

examples: $(VENV)/.installed
	$(BIN)/python tools/build_examples.py

# What the browser and workbook tests use; they skip with a message where it is absent. Needs root.
system-packages:
	apt-get update
	DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends chromium libreoffice-calc-nogui poppler-utils

# Some distributions split ensurepip off: then the environment starts without pip and the system's pip fills it.
$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV) || $(PYTHON) -m venv --clear --without-pip $(VENV)

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(PIP) --editable .
	touch $@

$(VENV)/.installed-dev: pyproject.toml | $(BIN)/python
	$(PIP) --editable '.[dev]'
	touch $@ $(VENV)/.installed

$(VENV)/.installed-docs: pyproject.toml | $(BIN)/python
	$(PIP) --editable '.[docs]'
	touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) out dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
