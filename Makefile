# `make run` starts the dashboard, `make test` runs every test, `make figures` works out every printed figure anew from
# committed predictions; all make their environment first. The tests run in two processes, a file at a time, and after
# them those of the browser in one: its server has a core to itself, which leaves one for the type checker. What is
# installed is compiled by all cores, which pip would do with one.
.POSIX:
.PHONY: run test figures

VENV = .venv
BIN = $(VENV)/bin
PYTHON = python3
STAMP = $(VENV)/installed
TESTING = $(VENV)/installed-for-tests
INSTALL = $(BIN)/python -m pip install --no-compile --quiet --disable-pip-version-check --constraint constraints.txt --editable
COMPILE = $(BIN)/python -m compileall -q -j 0 $(VENV)/lib

run: $(STAMP)
	$(BIN)/lesionlens serve $(ARGUMENTS)

test: $(TESTING)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder --ignore tests/browser --durations 20
	$(BIN)/mypy & checking=$$!; $(BIN)/pytest tests/browser --durations 20 && wait $$checking

figures: $(STAMP)
	$(BIN)/python -m scripts.figures $(ARGUMENTS)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "LesionLens needs Python 3.11 or newer; name one with make PYTHON=…"; exit 1; }
	@echo "Making the environment in $(VENV); this takes a few minutes once."
	$(PYTHON) -m venv $(VENV)

$(STAMP): $(BIN)/python pyproject.toml constraints.txt
	$(INSTALL) .
	$(COMPILE)
	@touch $(STAMP)

$(TESTING): $(BIN)/python pyproject.toml constraints.txt
	$(INSTALL) '.[dev]'
	$(COMPILE)
	@touch $(STAMP) $(TESTING)
