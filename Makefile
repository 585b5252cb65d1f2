# The commands of the house; `make` alone lists them. Works with GNU make 3.81 (macOS) and later.
#
#   PYTHON=python3.12   the interpreter that makes .venv (3.11 or later)
#   UV=uv               make the environment with uv rather than venv and pip
#   PIP_ARGS=...        more options for the installer, for instance another index
#   PYTEST_ARGS=...     more options for pytest, for instance `-x tests/core`
#   PYTEST_PROCESSES=0  processes that run tests side by side; 0 for none but pytest's own
#   DEMO_DIR=...        where `make demo` leaves its project

PYTHON      ?= python3
UV          ?=
PIP_ARGS    ?=
PYTEST_ARGS ?=
# Two processes, a file of tests in one of them: fixtures of a file are made once.
PYTEST_PROCESSES ?= 2
DEMO_DIR    ?=

VENV := .venv
# The tests that compare with kept files or with figures of other programs.
GOLDEN_TESTS := tests/metrics tests/corpus/formats/test_golden_formats.py tests/models/augmentation/test_augment_unchanged.py \
	tests/models/test_known_recipe.py tests/bundle/test_old_bundles.py
BIN  := $(VENV)/bin
INPUTS := pyproject.toml constraints.txt

# A stamp says what was installed last; it is older than its inputs when they changed.
DEMO_STAMP := $(VENV)/.installed-demo
DEV_STAMP  := $(VENV)/.installed-dev

ifeq ($(strip $(UV)),)
CREATE  = $(PYTHON) -m venv $(VENV)
INSTALL = $(BIN)/python -m pip install --disable-pip-version-check $(PIP_ARGS) -c constraints.txt
else
CREATE  = $(UV) venv --python $(PYTHON) $(VENV)
INSTALL = $(UV) pip install --python $(BIN)/python $(PIP_ARGS) -c constraints.txt
endif

.NOTPARALLEL:
.PHONY: help env demo test test-haswell test-slurm test-live check format slow bench smoke runtime constraints clean distclean

help:
	@echo "make env          the environment for work on Ossicle, in $(VENV)"
	@echo "make demo         install what a user needs and run the main job on synthetic tapes"
	@echo "make test         check, then every test that takes seconds"
	@echo "make test-haswell the metrics and golden files with the BLAS kernels of another processor"
	@echo "make test-slurm   the tests on a real Slurm, where there is one (scripts/slurm_here.sh start)"
	@echo "make test-live    the tests with a virtual microphone and an MQTT broker (scripts/live_services.sh start)"
	@echo "make check        format, lint, types and import contracts"
	@echo "make format       rewrite the code in the house format"
	@echo "make slow         the tests that take minutes"
	@echo "make bench        the benchmarks; one dated table each in benchmarks/"
	@echo "make smoke        every benchmark on tiny synthetic inputs, in a minute or two; keeps no result"
	@echo "make runtime      prove that the torch-free install runs what must run without torch"
	@echo "make constraints  write constraints.txt from $(VENV)"
	@echo "make clean        remove caches and builds (distclean: the environment too)"

env: $(DEV_STAMP)

demo: $(DEMO_STAMP)
	$(BIN)/ossicle demo $(DEMO_DIR)

# No test of seconds takes ten minutes on any machine: one that hangs fails with the place where it does. A process that
# crashed ends the run: xdist never ends with a new one in its place (loadfile, 3.8).
test: check
	$(BIN)/pytest -m "not slow and not slurm and not live" -n $(PYTEST_PROCESSES) --dist loadfile --timeout 600 --max-worker-restart 0 \
		$(PYTEST_ARGS)

# OpenBLAS sums in another order on every processor; no golden file may depend on it.
test-haswell: env
	OPENBLAS_CORETYPE=Haswell $(BIN)/pytest -m "not slow and not slurm and not live" -n $(PYTEST_PROCESSES) --dist loadfile \
		$(GOLDEN_TESTS) $(PYTEST_ARGS)

test-live: env
	timeout --kill-after=10 120 $(BIN)/pytest -m live tests/e2e/test_live.py $(PYTEST_ARGS)

test-slurm: env
	timeout --kill-after=20 540 $(BIN)/pytest -m slurm tests/e2e/test_slurm.py tests/e2e/test_slurm_tasks.py $(PYTEST_ARGS)

check: env
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: env
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

slow: env
	$(BIN)/pytest -m slow $(PYTEST_ARGS)

bench: env
	@set -e; found=0; for script in benchmarks/bench_*.py; do \
		[ -e "$$script" ] || continue; found=1; echo "== $$script"; $(BIN)/python "$$script"; \
	done; [ $$found -eq 1 ] || echo "no benchmarks/bench_*.py to run"

smoke: env
	$(BIN)/python benchmarks/run_smoke.py

runtime: | $(BIN)/python
	PYTHON="$(BIN)/python" PIP_ARGS="$(PIP_ARGS)" scripts/check_runtime.sh

constraints: env
	scripts/write_constraints.sh $(BIN)/python

clean:
	rm -rf build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage
	find src tests benchmarks scripts -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean
	rm -rf $(VENV)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Ossicle needs Python 3.11 or later, and '$(PYTHON)' is not. Name one: make PYTHON=python3.12 ..." >&2; \
		exit 1; }
	$(CREATE) || { rm -rf $(VENV); \
		echo "could not make $(VENV): on Debian and Ubuntu, 'apt-get install python3-venv' first" >&2; exit 1; }

$(DEMO_STAMP): $(INPUTS) | $(BIN)/python
	$(INSTALL) -e '.[train]'
	@touch $@

$(DEV_STAMP): $(INPUTS) | $(BIN)/python
	$(INSTALL) -e '.[dev,train]'
	@touch $@ $(DEMO_STAMP)
