# SPDX-License-Identifier: BSD-2-Clause
# Everything runs from a clone: the first target makes .venv and installs macaw into it.

PYTHON ?= python3
VENV   ?= .venv
BUILD  ?= build
JOBS   ?= 2

BIN   := $(VENV)/bin
READY := $(VENV)/.installed
DEV   := $(VENV)/.installed-dev
PIP   := $(BIN)/pip install --quiet --disable-pip-version-check --editable

.PHONY: help compare test prove mutate lint format types wheel docs bench clean

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

# Reinstalled when the dependencies change; the sources themselves are used in place.
$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "macaw needs Python 3.11 or later: make PYTHON=python3.12" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) .
	@touch $@

# With what the tests and tools for work on macaw need besides.
$(DEV): $(READY)
	$(PIP) '.[dev]'
	@touch $@

compare: $(READY) ## prove and price the default formats: table, JSON and HTML in build/
	$(BIN)/macaw compare -o $(BUILD)

test: $(DEV) ## run the tests, JOBS=2 at a time
	$(BIN)/python -m pytest --numprocesses $(JOBS) --dist worksteal

prove: $(DEV) ## the whole proof, as long as it takes; continues where it stopped
	$(BIN)/python -m macaw.sim.proof.prove

mutate: $(DEV) ## small faults put into the sources: does what proves macaw notice each of them?
	$(BIN)/python -m macaw.sim.proof.mutants.run

lint: $(DEV) ## style and likely bugs
	$(BIN)/ruff check
	$(BIN)/ruff format --check

format: $(DEV) ## rewrite the sources in the house style
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

types: $(DEV) ## static types
	$(BIN)/pyright --pythonpath $(BIN)/python

wheel: $(DEV) ## build the sdist and the wheel in dist/
	$(BIN)/python -m build --outdir dist

docs: $(DEV) ## rewrite the generated pages, tables and pictures: README.md and docs/
	$(BIN)/python -m docs.generate

bench: $(DEV) ## measure speed and cost, repeat the studies: benchmarks/results/, for make docs
	$(BIN)/python -m benchmarks

clean: ## remove what the other targets made, but for the environment
	rm -rf $(BUILD) dist
