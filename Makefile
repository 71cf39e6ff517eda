# `make run` starts the dashboard, `make test` runs every test; both make their environment first.
.POSIX:
.PHONY: run test

VENV = .venv
BIN = $(VENV)/bin
PYTHON = python3
STAMP = $(VENV)/installed

run: $(STAMP)
	$(BIN)/lesionlens serve $(ARGUMENTS)

test: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "LesionLens needs Python 3.11 or newer; name one with make PYTHON=…"; exit 1; }
	@echo "Making the environment in $(VENV); this takes a few minutes once."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $(STAMP)
