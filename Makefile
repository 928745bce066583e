# The only door: `make demo` and `make test` set up everything they need.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
BENCH  := .venv-bench
NEWEST := .venv-newest
AUDIT  := .venv-audit
LOCK   := .venv-lock
EXPORTS := .venv-exports
# Tests wait more than they compute; those of one file share its broker and its ClickHouse.
WORKERS ?= 3
# What stands on ClickHouse's SQL, and runs without Kafka tables and without a reader.
NEWEST_TESTS := archive contract/clickhouse embedded/clickhouse/test_native.py grafana read security/test_roles.py \
  test_compose.py::test_the_engine_lets_that_user_read_within_limits_and_nothing_else warehouse

.PHONY: setup demo down test chaos drivers lint bench contract-newest fuzz audit lock rehearse rehearse-processes exports-venv \
  schema clean help
.DEFAULT_GOAL := help

help: ## Show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f"mdplatform needs Python 3.11 or newer, {sys.executable} is {v.major}.{v.minor}; try: make PYTHON=python3.12 setup")'
	@echo "Installing into $(VENV) (about a minute) ..."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[embedded,dev]'
	@touch $(READY)

setup: $(READY) ## Create .venv with the pinned dependencies

demo: $(READY) ## Run everything on this machine, fed by simulated exchanges (Ctrl-C ends it)
	$(BIN)/mdplatform up --demo

down: $(READY) ## End a stack that runs in the background
	$(BIN)/mdplatform down

test: $(READY) ## Run the tests
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

chaos: $(READY) ## Kill, cut and fill every part of a running line, and count what is lost
	$(BIN)/python -m pytest -m "chaos or kafka" -rs mdplatform_tests/chaos

drivers: $(READY) ## Run ClickHouse's JDBC, Go and Node drivers against the embedded node
	$(BIN)/python -m pytest -m drivers -rs mdplatform_tests/contract/clickhouse/test_drivers.py

rehearse: $(READY) ## Run docker-compose.yml in containers: up, a day's work, kills, backup; prints a table
	$(BIN)/python -m mdplatform_tests.rehearsal

rehearse-processes: $(READY) ## The same without containers and kills, as a test; for CI
	$(BIN)/python -m pytest -m rehearsal -rs mdplatform_tests/rehearsal

lint: $(READY) ## Check style, types and import directions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fuzz: $(READY) ## Search longer for inputs that break a parser, and keep them
	$(BIN)/python -m mdplatform_tests.fuzz --seconds 30

audit: $(READY) ## List the licences of all dependencies, refuse the GPL, ask for known vulnerabilities
	$(BIN)/python -m mdplatform_tests.security.licences
	$(BIN)/python -m mdplatform_tests.security.lock
	@if curl --silent --output /dev/null --max-time 10 https://api.osv.dev/; then \
	  $(PYTHON) -m venv $(AUDIT) && $(AUDIT)/bin/python -m pip install --quiet pip-audit==2.10.1 && \
	  $(AUDIT)/bin/pip-audit --requirement constraints.txt --no-deps --disable-pip --vulnerability-service osv; \
	else echo "known vulnerabilities: not asked, api.osv.dev cannot be reached from here"; fi

lock: ## Write requirements.lock, which the image installs, from pyproject.toml and constraints.txt
	$(PYTHON) -m venv $(LOCK) && $(LOCK)/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	$(LOCK)/bin/uv pip compile pyproject.toml --extra server --constraint constraints.txt --python-version 3.11 \
	  --python-platform x86_64-manylinux_2_28 --generate-hashes --only-binary :all: --no-strip-extras --no-annotate \
	  --custom-compile-command "make lock" --quiet --output-file requirements.lock

$(BENCH)/.ready: pyproject.toml constraints.txt
	@echo "Installing what is measured against into $(BENCH) ..."
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[embedded,bench]'
	@if command -v npm >/dev/null; then \
	  npm install --silent --no-audit --no-fund --ignore-scripts --prefix $(BENCH)/node tardis-dev@13.35.3 || true; \
	else echo "tardis-dev will not be measured: there is no npm"; fi
	@$(PYTHON) -m venv $(BENCH)/nautilus && $(BENCH)/nautilus/bin/python -m pip install --quiet --disable-pip-version-check \
	  nautilus_trader==1.221.0 || echo "nautilus_trader will not be measured: it cannot be installed"
	@touch $(BENCH)/.ready

bench: $(BENCH)/.ready ## Run the benchmarks and write benchmarks/results
	$(BENCH)/bin/mdplatform bench

$(NEWEST)/.ready: pyproject.toml constraints.txt
	@echo "Installing the newest ClickHouse engine that there is as a library into $(NEWEST) ..."
	$(PYTHON) -m venv $(NEWEST)
	$(NEWEST)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]' \
	  clickhouse-cityhash httptools noida-db python-multipart
	$(NEWEST)/bin/python -m pip install --quiet --disable-pip-version-check --upgrade chdb-core
	@touch $(NEWEST)/.ready

contract-newest: $(NEWEST)/.ready ## Run what a newer ClickHouse engine can run of the tests on the newest
	$(NEWEST)/bin/python -m pytest -n $(WORKERS) --dist loadfile -p mdplatform_tests.contract.newest \
	  $(addprefix mdplatform_tests/,$(NEWEST_TESTS))

exports-venv: ## Install the tools that must read our exports and archives; the tests then run them
	$(PYTHON) -m venv $(EXPORTS)
	$(EXPORTS)/bin/python -m pip install --quiet --disable-pip-version-check hftbacktest==2.4.4 nautilus_trader==1.221.0 \
	  duckdb==2.0.1 polars==2.1.0

schema: $(READY) ## Print the database as text, of the ClickHouse that CLICKHOUSE_URL names
	$(BIN)/python -m mdplatform.warehouse.schema

clean: ## Remove the virtual environment and caches
	rm -rf $(VENV) $(BENCH) $(NEWEST) $(AUDIT) $(LOCK) $(EXPORTS) .rehearsal .pytest_cache .mypy_cache .ruff_cache .hypothesis
