# streamgauge. `make demo` and `make test` need nothing done before: they install into .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
USERS ?= 100
DURATION ?= 60
.DEFAULT_GOAL := help
# Each of the hundreds of processes that the tests start would compile all modules that it imports.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help install demo test test-fast mutants check fmt generate dashboards lock bench up down logs load clean

help: ## What there is
	@sed -n 's/^\([a-z-]*\)[a-z -]*:.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

install: $(INSTALLED) ## The .venv with pinned dependencies, which all others need

$(INSTALLED): requirements/dev.txt pyproject.toml
	@$(PYTHON) deploy/check_python.py
	@echo "Installing into $(VENV) (about a minute, once)"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(INSTALLED) ## A real load test of the sample app, with verdict and report
	@$(BIN)/streamgauge demo $(ARGS)

test: $(INSTALLED) ## All tests, in parts beside each other; with ARGS, one pytest with these: make test ARGS="tests/wire -x"
	@$(BIN)/python $(if $(ARGS),-m pytest $(ARGS),tools/run_tests.py)

test-fast: $(INSTALLED) ## The tests that start no whole programs: some minutes, every room
	@$(BIN)/python $(if $(ARGS),-m pytest $(ARGS),tools/run_tests.py) -m "not slow"

mutants: $(INSTALLED) ## Which small faults do the tests miss? make mutants ARGS=src/streamgauge/stats
	@$(BIN)/python tools/mutants.py $(ARGS)

check: $(INSTALLED) ## Format, lint, types, import contracts, generated files up to date
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m monitoring.build --check

fmt: $(INSTALLED) ## Format, and fix what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

generate dashboards: $(INSTALLED) ## Write the generated files again
	$(BIN)/python -m monitoring.build

lock: ## Resolve requirements/*.txt again (needs uv)
	deploy/lock

bench: $(INSTALLED) ## Side-by-side measurements
	$(BIN)/python -m benchmarks $(ARGS)

up: ## The whole stack, in Docker; prints its addresses
	@deploy/up
	@echo "Next: make load (a run of $(USERS) users, $(DURATION) s), make logs, make down"

load: ## A run on the stack that is up: make load USERS=100 DURATION=60 HOST=http://… ARGS="…"
	@deploy/load --users '$(USERS)' --run-time '$(DURATION)' $(if $(filter command,$(origin HOST)),--host '$(HOST)') $(ARGS)

down: ## Stop the stack; what Prometheus stored stays, and so do results
	docker compose --profile alerts down --remove-orphans

logs: ## What the stack says
	docker compose logs --follow

clean: ## Remove what was installed and written
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .mutants results
