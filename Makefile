# `make run` starts the dashboard, `make test` runs every test, `make figures` works out every printed figure anew from
# committed predictions; all make their environment first. The tests run in two processes, and after them those of the
# browser in one: the server that they drive has the cores to itself.
.POSIX:
.PHONY: run test figures

VENV = .venv
BIN = $(VENV)/bin
PYTHON = python3
STAMP = $(VENV)/installed
TESTING = $(VENV)/installed-for-tests

run: $(STAMP)
	$(BIN)/lesionlens serve $(ARGUMENTS)

test: $(TESTING)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest --numprocesses 2 --dist loadfile --ignore tests/browser --durations 20
	$(BIN)/pytest tests/browser

figures: $(STAMP)
	$(BIN)/python -m scripts.figures $(ARGUMENTS)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "LesionLens needs Python 3.11 or newer; name one with make PYTHON=…"; exit 1; }
	@echo "Making the environment in $(VENV); this takes a few minutes once."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $(STAMP)

$(TESTING): $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $(TESTING)
