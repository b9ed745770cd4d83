# make setup   the environment in .venv, from requirements.lock
# make demo    the main job on a simulated portfolio, under a minute
# make check   format, lint, types, layers, docstrings, quick tests: under 5 minutes on 2 cores
# make test    the same with the slow tests and coverage: under 40 minutes; what CI runs
# make screenshots  every page of the review desk, at two widths, light and dark, into screenshots/
# make spark   Chancellor and Spark in an environment of its own, .spark: 1.4 GB, a minute
# make peers   libraries that `make bench` measures against, in an environment of their own: 900 MB
# make bench   speed and memory against bare engines, peers and budgets: docs/performance.md, half an hour;
#              BENCH="score labels" measures these parts alone
# make scaling time and memory of DuckDB and Spark by size: docs/scaling.md; 1 M and 10 M parties, perhaps an hour
# make evidence  studies, tables and plots of docs/evidence.md, from seeds: under 2 hours on 2 cores
# make monitoring-study  how often monitoring alerts, rightly and wrongly: docs/monitoring.md, 45 minutes
# make torture   killed processes, crowds and a database that restarts: docs/store.md; half an hour
# make load    scoring load on PostgreSQL beside a bare endpoint, ten minutes on a quiet machine
# make pages   how long each page of the desk takes in a large store: docs/desk.md, ten minutes
# make postgres-size  10 M label rows in PostgreSQL: ingest, reading, sizes, pages: docs/scaling.md, ten minutes
# make generated  5,000 requests generated from the OpenAPI document, every check on
# make serve   the HTTP API over the store in CHANCELLOR_HOME (default ./.chancellor), loopback only
# make dagster Dagster's pages over the same store
# make lock    write requirements.lock anew from pyproject.toml

MAKEFLAGS += --no-print-directory
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
unexport PYTHONDONTWRITEBYTECODE
unexport VIRTUAL_ENV

BIN := .venv/bin
WORKERS ?= 2
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -q

.PHONY: monitoring-study setup spark peers demo test browser screenshots check static format lint types layers docstrings quick bench scaling load pages postgres-size generated evidence torture serve dagster lock clean

setup: .venv/.installed

.venv/.installed: requirements.lock pyproject.toml scripts/setup
	@scripts/setup

spark: .spark/.installed

.spark/.installed: requirements-spark.lock scripts/spark | setup
	@scripts/spark

peers: .peers/.installed

.peers/.installed: requirements-peers.lock scripts/peers | setup
	@scripts/peers

demo: setup
	@$(BIN)/chancellor demo

check: static quick

test: static browser spark
	@echo "== tests, the slow ones too"
	@HYPOTHESIS_PROFILE=thorough $(PYTEST) --ignore=tests/performance --cov --cov-report=term
	@echo "== ratios of speed, one after another and without coverage, which slows our side alone"
	@$(BIN)/python -m pytest -q tests/performance

browser:
	@scripts/setup-browser >/dev/null

# every page of the desk at two widths, light and dark, into screenshots/
screenshots: setup browser
	@$(BIN)/python -m tests.support.screenshots $(SCREENSHOTS_OPTIONS)

static: format lint types layers docstrings

format: setup
	@echo "== format"
	@$(BIN)/ruff format --check --quiet . || { echo "run: $(BIN)/ruff format ."; exit 1; }

lint: setup
	@echo "== lint"
	@$(BIN)/ruff check .

types: setup
	@echo "== types"
	@$(BIN)/mypy

layers: setup
	@echo "== layers"
	@$(BIN)/lint-imports

docstrings: setup
	@echo "== docstrings"
	@$(BIN)/numpydoc lint $$(git ls-files 'app/*.py' | grep -v '^app/migrations/')

quick: setup
	@echo "== quick tests"
	@$(PYTEST) -m "not slow"

bench: setup peers
	@$(BIN)/python -m benchmarks.performance $(BENCH)

# SCALING_OPTIONS="--parties 50000000" measures one size; --help says the rest
scaling: setup spark
	@$(BIN)/python -m benchmarks.scaling $(SCALING_OPTIONS)

load: setup
	@$(BIN)/python -m benchmarks.load $(LOAD_OPTIONS)

pages: setup
	@$(BIN)/python -m benchmarks.pages

postgres-size: setup
	@$(BIN)/python -m benchmarks.postgres_size $(POSTGRES_SIZE_OPTIONS)

generated: setup
	@$(BIN)/python -m tests.support.generated_requests

# EVIDENCE_OPTIONS=--resume goes on where a run was interrupted
evidence: setup
	@$(BIN)/python -m benchmarks.evidence --workers $(WORKERS) --docs docs $(EVIDENCE_OPTIONS)

# settings that build/monitoring holds already are not run again
monitoring-study: setup
	@$(BIN)/python -m benchmarks.monitoring --docs docs/monitoring.md

# STUDY="crash crowd restart", one or several; records go to build/torture
STUDY ?= crash crowd restart
torture: setup
	@for study in $(STUDY); do $(BIN)/python -m benchmarks.torture $$study $(TORTURE_OPTIONS); done

serve: setup
	@$(BIN)/chancellor serve

dagster: setup
	@DAGSTER_HOME="$$($(BIN)/python -m app.pipeline.home)" $(BIN)/dagster dev -m app.pipeline.definitions

lock: setup
	@UV=$$(command -v uv || echo .uv/bin/uv); "$$UV" pip compile pyproject.toml --group dev \
	    --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
	    --quiet -o requirements.lock; \
	"$$UV" pip compile pyproject.toml --extra spark \
	    --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
	    --quiet -o requirements-spark.lock; \
	"$$UV" pip compile --group peers \
	    --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
	    --quiet -o requirements-peers.lock

clean:
	@rm -rf .venv .uv .spark .peers .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage*
