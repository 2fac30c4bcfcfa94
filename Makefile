# `make site` builds the example site into output/, `make test` checks everything; each does its own set-up.

PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: site test lint unit bench thorough clean

site: .venv/installed
	$(BIN)/fencepost build

test: lint unit

lint: .venv/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

unit: .venv/dev
	$(BIN)/pytest -n 2 --dist loadgroup

bench: .venv/dev
	$(BIN)/python -m benchmarks.execution
	$(BIN)/python -m benchmarks.faults
	$(BIN)/python -m benchmarks.soak
	$(BIN)/python -m benchmarks.sites --unique
	$(BIN)/python -m benchmarks.sites --posts 10000 --runs 3 --unique

# Every property on 10,000 examples, and 500 sequences of edits.
thorough: .venv/dev
	FENCEPOST_SEQUENCES=500 $(BIN)/pytest -n 2 --hypothesis-profile thorough tests/test_properties.py tests/test_memo.py

clean: .venv/installed
	$(BIN)/fencepost clean

.venv/installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(INSTALL) --upgrade pip
	$(INSTALL) -e '.[torch]'
	touch $@

.venv/dev: .venv/installed
	$(INSTALL) --group dev
	touch $@
