# Two commands: `make run` (the demo company, end to end) and `make test`. Both set up .venv from the lock by themselves.
PYTHON ?= python3
BIN := .venv/bin
export DAGSTER_HOME ?= $(CURDIR)/data/dagster

.PHONY: run test test-slow test-spark test-domains parity bench lint docs dev lock clean postgres

run: .venv/run.done
	$(BIN)/csw demo run

test: .venv/dev.done
	$(BIN)/pytest -q tests/unit tests/integration

test-slow: .venv/dev.done
	$(BIN)/pytest -q tests/faults tests/scale

test-spark: .venv/spark.done
	$(BIN)/pytest -q tests/spark

test-domains: .venv/dev.done
	$(BIN)/pytest -q tests/domains

parity: .venv/dev.done
	$(BIN)/python tests/scale/parity.py --days 60

bench: .venv/dev.done
	$(BIN)/python tests/scale/bench.py
	$(BIN)/python tests/scale/bench_clv.py
	$(BIN)/python tests/scale/bench_health.py
	$(BIN)/python tests/scale/bench_size.py
	$(BIN)/python tests/scale/bench_loads.py
	$(BIN)/python tests/scale/bench_identities.py

lint: .venv/dev.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/sqlfluff lint --processes 0 --disable-progress-bar models dbt_project/tests

dev: .venv/run.done
	$(BIN)/csw dev

docs: .venv/run.done
	$(BIN)/csw docs

# Locks hold versions and hashes only; which index serves them is each machine's own setting.
lock: .venv/dev.done
	for set in "run:" "dev:--extra dev" "spark:--extra dev --extra spark"; do \
	  $(BIN)/uv pip compile pyproject.toml $${set#*:} --universal --python-version 3.11 --generate-hashes \
	    --no-annotate --no-header --no-emit-index-url -q -o requirements/$${set%%:*}.lock || exit 1; done

clean:
	rm -rf .venv data dbt_project/target dbt_project/logs .pytest_cache .ruff_cache .hypothesis

.venv/%.done: requirements/%.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing requirements/$*.lock into .venv (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/$*.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@echo "compiling the project (once, and again by itself when a model has changed)"
	@$(BIN)/python -m compileall -q orchestration
	@$(BIN)/python -m orchestration.dbt_parsed
	@touch $@ $(if $(filter spark,$*),.venv/dev.done .venv/run.done) $(if $(filter dev,$*),.venv/run.done)
