# What a person needs: make refresh, make test, make dev. Everything sets up what it needs.

VENV ?= .venv
BIN := $(VENV)/bin
# The first Python from 3.11 to 3.13 that runs; name another with PYTHON=...
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	>/dev/null 2>&1 && { echo $$p; break; }; done)
TEST_WORKERS ?= 2
DASHBOARD_HOME := $(abspath $(or $(CSP_HOME),var))/dashboard
LINT_HOME := $(abspath $(or $(CSP_HOME),var))/sqlfluff
export DAGSTER_HOME ?= $(abspath $(or $(CSP_HOME),var))/dagster

.DEFAULT_GOAL := help
.PHONY: help setup refresh lake test test-all test-campaigns coverage test-duckdb2 clients metricflow metrics superset dashboard lint sql-lint types dbt-check check dev docs bench sample clean

help: ## Say what can be made
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

setup: $(VENV)/.installed ## Set up the environment from the lock

$(VENV)/.installed: requirements.lock requirements-uv.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed and none was found. Install one, or name it: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Setting up $(VENV) (once; about a minute) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

refresh: setup ## Run the quarterly refresh on the extracts in raw/ (QUARTER=2018-04-01 for another)
	@$(BIN)/csp refresh $(QUARTER)

lake: setup ## Refresh the sample into a DuckLake, with PostgreSQL and an object store's stand-in on loopback
	@$(BIN)/python -m tests.lake_trial $(or $(CSP_HOME),var)/lake-trial $(QUARTER)

test: setup ## Run the tests (under five minutes on two cores)
	@$(BIN)/pytest -n $(TEST_WORKERS) -m "not slow"

test-all: test ## Run the long tests too
	@$(BIN)/pytest -n $(TEST_WORKERS) -m "slow and not campaign" --durations=20

test-campaigns: setup ## Run the campaigns: whole refreshes that are killed, damaged or planted with canaries, and two simulated years
	@$(BIN)/pytest -n $(TEST_WORKERS) -m campaign

coverage: setup ## Run the quick tests and report which lines they reach, in var/coverage
	@$(BIN)/pytest -n $(TEST_WORKERS) -m "not slow" --cov --cov-report=term:skip-covered --cov-report=html:$(or $(CSP_HOME),var)/coverage

# Tests of what the engine does: it reads, stores, builds, protects, publishes, copies and answers.
OF_THE_ENGINE := backup disclosure_step in_force_view late_rows load lookups publish releases \
	services survey versions

test-duckdb2: $(VENV)-duckdb2/.installed ## Run the tests of what the engine does on DuckDB 2
	@$(VENV)-duckdb2/bin/pytest -n $(TEST_WORKERS) -m "not slow" $(OF_THE_ENGINE:%=tests/test_%.py)

$(VENV)-duckdb2/.installed: $(VENV)/.installed
	@$(MAKE) --no-print-directory VENV=$(VENV)-duckdb2 setup
	@$(VENV)-duckdb2/bin/uv pip install --quiet --python $(VENV)-duckdb2/bin/python --no-deps duckdb==2.0.0
	@touch $@

clients: $(VENV)-clients/.installed $(VENV)-oldest/.installed tests/clients/node_modules ## Set up the BI clients that the readers' tests use

$(VENV)-clients/.installed: tests/clients/requirements.txt $(VENV)/.installed
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(VENV)-clients
	@$(BIN)/uv pip install --quiet --python $(VENV)-clients/bin/python -r $<
	@touch $@

$(VENV)-oldest/.installed: tests/clients/requirements-oldest.txt $(VENV)/.installed
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(VENV)-oldest
	@$(BIN)/uv pip install --quiet --python $(VENV)-oldest/bin/python -r $<
	@touch $@

tests/clients/node_modules: tests/clients/package-lock.json
	@command -v npm >/dev/null || { echo "npm is not there: the Node client is left out"; exit 0; }; \
	cd tests/clients && npm ci --silent --no-audit --no-fund && touch node_modules

lint: setup ## Check format and style
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@PYTHONPATH=. $(BIN)/lint-imports --no-cache

# In a database of its own: linting compiles the models, and must not wait for a refresh.
sql-lint: export CSP_WAREHOUSE = $(LINT_HOME)/warehouse.duckdb
sql-lint: export DBT_TARGET_PATH = $(LINT_HOME)/target
sql-lint: export DBT_LOG_PATH = $(LINT_HOME)/logs
sql-lint: setup ## Check the SQL of the models and dbt tests (SQL=FILES for some; about two minutes for all)
	@mkdir -p $(LINT_HOME)
	@$(BIN)/sqlfluff lint --disable-progress-bar --processes 2 $(or $(SQL),dbt_project/models dbt_project/tests \
		orchestration/ingest/sources) 2>$(LINT_HOME)/sqlfluff.log || { cat $(LINT_HOME)/sqlfluff.log; exit 1; }

types: setup ## Check types
	@$(BIN)/mypy

dbt-check: setup ## Parse the dbt project and check that contracts and dbt sources agree
	@$(BIN)/csp prepare
	@$(BIN)/csp contracts --check

check: lint sql-lint types dbt-check ## Lint, types and dbt checks

dev: setup ## Open the Dagster UI on http://localhost:3000
	@$(BIN)/csp serve

docs: setup ## Build this documentation as a site, with a data dictionary and dbt's lineage
	@$(BIN)/csp prepare
	@$(BIN)/csp docs >/dev/null
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --site-dir $(or $(CSP_HOME),var)/docs/site
	@echo "Open $(abspath $(or $(CSP_HOME),var))/docs/site/index.html in a browser."

bench: setup ## Measure beside DuckDB and pandas; fail where a ratio got worse (ROWS=10000000 MONTHS=120)
	@$(BIN)/python -m tests.bench --rows $(or $(ROWS),10000000) --months $(or $(MONTHS),120)

sample: setup ## Write the sample in raw/ again
	@$(BIN)/python -m orchestration.ingest.sources.sample_landing_zone raw

metricflow: $(VENV)-metricflow/.installed ## Set up MetricFlow, which checks the metrics file

$(VENV)-metricflow/.installed: tests/metricflow/requirements.txt $(VENV)/.installed
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(VENV)-metricflow
	@$(BIN)/uv pip install --quiet --python $(VENV)-metricflow/bin/python --require-hashes -r $<
	@touch $@

metrics: metricflow ## Check the metrics with MetricFlow, against the sample's release
	@$(BIN)/pytest -n 1 tests/test_metricflow.py

superset: $(VENV)-dashboard/.installed ## Set up Superset, which shows the dashboard (needs Python 3.11 or 3.12)

$(VENV)-dashboard/.installed: bi/requirements.txt $(VENV)/.installed
	@echo "Setting up $(VENV)-dashboard (once; about a minute, 700 MB) ..."
	@$(BIN)/uv venv --quiet --clear --no-python-downloads --python '>=3.11,<3.13' $(VENV)-dashboard
	@$(BIN)/uv pip install --quiet --python $(VENV)-dashboard/bin/python --compile-bytecode --require-hashes -r $<
	@touch $@

dashboard: superset ## Open the dashboard on http://127.0.0.1:8088 (CSP=fenland, PORT=8088 for others)
	@$(BIN)/python -m bi.bundle $(DASHBOARD_HOME)/board.zip $(CSP:%=--csp %)
	@$(VENV)-dashboard/bin/python bi/serve.py $(DASHBOARD_HOME) $(DASHBOARD_HOME)/board.zip $(PORT:%=--port %)

clean: ## Remove everything generated, the environment too
	@rm -rf $(VENV) $(VENV)-duckdb2 $(VENV)-clients $(VENV)-oldest $(VENV)-metricflow $(VENV)-dashboard tests/clients/node_modules var
