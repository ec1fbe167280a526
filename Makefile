PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: setup demo test validate bench lint types clean

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $(READY)

demo: $(READY)          ## simulate a cell at the beamline and analyse its raw files
	$(BIN)/python examples/demo.py --out demo

test: $(READY)          ## the whole suite, minutes
	$(BIN)/python -m pytest -m 'not slow' -n 2

validate: $(READY)      ## the long validations against known truth
	$(BIN)/python -m pytest -m slow

bench: $(READY)         ## speed and accuracy beside the peers that are installed
	$(BIN)/python -m benchmarks

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

clean:
	rm -rf $(VENV) demo .mypy_cache .ruff_cache .pytest_cache
