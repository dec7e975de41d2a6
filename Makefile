# make demo    the main job on real data, to a report you can open
# make test    every test
# make check   linter and type checker
# Each sets up what it needs in .venv. PYTHON=python3.12 chooses an interpreter (3.11 or newer).

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BUILT := pyproject.toml hatch_build.py $(wildcard verisyn/modalities/table/_core/*)

.PHONY: demo test check clean

demo: $(VENV)/demo.stamp
	$(BIN)/verisyn synth $$($(BIN)/python benchmarks/demo_data.py) --target yrs_married --out demo-synthetic --force

test: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -n 2 --dist worksteal -q

check: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/mypy

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "verisyn needs Python 3.11 or newer; none was found. Install one, or say make PYTHON=/path/to/python."; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/demo.stamp: $(BUILT) | $(BIN)/python
	$(BIN)/python -m pip install --quiet -e '.[demo]'
	@touch $@

$(VENV)/dev.stamp: $(BUILT) | $(BIN)/python
	$(BIN)/python -m pip install --quiet -e '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) build dist demo-synthetic .pytest_cache .ruff_cache .mypy_cache
