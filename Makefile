# Everything a newcomer needs; `make help` lists it. Only Python 3.11+ and make are expected.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help demo run test check bench docs lock clean

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

$(READY): requirements.lock pyproject.toml tools/bootstrap.py
	@$(PYTHON) tools/bootstrap.py $(VENV)
	@touch $(READY)

demo: $(READY)  ## competing jobs and agents, shown live, with a report (HOLD=1 keeps serving, REAL=1 calls over real Asterisk)
	@$(if $(REAL),$(BIN)/python -m tools.real_demo,$(BIN)/outrider demo) $(if $(HOLD),--hold)

run: $(READY)  ## serve an empty system; prints the one-time administrator password
	@$(BIN)/outrider serve

test: $(READY)  ## all tests, over SQLite and PostgreSQL, with real Asterisk, SIPp, servers and browser
	-@$(BIN)/python -m tools.testbed fetch
	@$(BIN)/python -m pytest -n 2 -m "not alone" $(ARGS) || test $$? = 5
	@$(BIN)/python -m pytest -m alone $(ARGS) || test $$? = 5

check: $(READY)  ## lint, formatting, types, borders between slices, house rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m tools.lints

bench: $(READY)  ## measure, print, and write docs/benchmarks.md
	@$(BIN)/python -m tools.bench

docs: $(READY)  ## check the documentation: links, commands, settings
	@$(BIN)/python -m pytest -q tests/unit/test_docs.py

lock: $(READY)  ## renew requirements.lock from pyproject.toml
	@$(BIN)/python -m tools.lock

clean:  ## remove the environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
