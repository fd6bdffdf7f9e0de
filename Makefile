# Evipool's commands. Needs only Python 3.11 to 3.13, git and make; everything else goes into .venv.

PYTHON ?= python3
UV ?= uv
ARGS ?=
PIP = .venv/bin/python -m pip install --quiet --disable-pip-version-check
COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header

.DEFAULT_GOAL := help
.PHONY: help run test lint bench wheel lock clean

help:  ## Print this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile

run: .venv/run  ## Run the review on the shipped corpus, offline (ARGS="--help" for its flags)
	@.venv/bin/evipool run $(ARGS)

test: .venv/test  ## Run all tests (ARGS="tests/pool -k tau2" for some)
	@scripts/test-tools
	@.venv/bin/python -m pytest -n 2 --dist loadfile $(ARGS)

lint: .venv/test  ## Check style, floors and types
	@.venv/bin/ruff check --quiet .
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/lint-imports --no-logo
	@.venv/bin/mypy

bench: .venv/test  ## Time the start of the command line
	@.venv/bin/python tests/benchmarks/startup.py

wheel: .venv/run  ## Build the wheel into dist/
	@.venv/bin/python -m hatchling build --target wheel

lock:  ## Renew lock/*.txt from pyproject.toml (needs uv)
	@command -v $(firstword $(UV)) >/dev/null || { \
		echo "make lock needs uv: python3 -m pip install uv, or name it with UV=..." >&2; exit 1; }
	@$(COMPILE) $(ARGS) pyproject.toml --group build --output-file lock/run.txt
	@$(COMPILE) $(ARGS) pyproject.toml --group build --group test \
		--constraint lock/run.txt --output-file lock/test.txt

clean:  ## Remove .venv, dist and caches; corpus/ and outputs/ stay
	@rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find pipeline tests -name __pycache__ -prune -exec rm -rf {} +

# The stamps .venv/run and .venv/test stand for what is installed; each is made again when its
# lock file or pyproject.toml changes.
.venv/bin/pip:
	@PYTHON="$(PYTHON)" scripts/make-venv

.venv/lock-run: .venv/bin/pip lock/run.txt
	@echo "Installing lock/run.txt into .venv; the first time takes a minute or two ..."
	@$(PIP) --require-hashes --requirement lock/run.txt
	@touch $@

.venv/run: .venv/lock-run pyproject.toml
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/test: .venv/run lock/test.txt
	@echo "Installing lock/test.txt into .venv ..."
	@$(PIP) --require-hashes --requirement lock/test.txt
	@touch $@
