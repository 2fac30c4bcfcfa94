# `make site` builds the example site into output/, `make test` checks everything; each does its own set-up.

PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: site docs reference screenshots test lint unit browser servers bench thorough clean

site: .venv/installed
	$(BIN)/fencepost build

# The documentation, a site of its own, into output-docs/.
docs: .venv/installed
	$(BIN)/fencepost build docs

reference: .venv/dev
	$(BIN)/python -m tests.reference

# The pictures of docs/screenshots.md: look at each before it is kept.
screenshots: .venv/dev browser
	$(BIN)/python -m tests.browser.screenshots

test: lint unit

lint: .venv/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

unit: .venv/dev browser servers
	$(BIN)/pytest -n 2 --dist loadgroup

# What the browser tests need besides Python packages. Root gets it from Debian, everybody else may have it: where
# there is no Chromium, no Java or no Node.js, the tests that need it say so and are left out.
browser: .venv/browser

.venv/browser: .venv/dev tests/browser/package-lock.json tests/browser/install
	tests/browser/install
	touch $@

# What the tests of publishing need: rsync and a server of SSH.
servers: .venv/servers

.venv/servers: .venv/dev tests/install-servers
	tests/install-servers
	touch $@

bench: .venv/dev browser
	$(BIN)/python -m benchmarks.execution
	$(BIN)/python -m benchmarks.faults
	$(BIN)/python -m benchmarks.soak
	$(BIN)/python -m benchmarks.preview
	$(BIN)/python -m benchmarks.publishing
	$(BIN)/python -m benchmarks.sites --unique
	$(BIN)/python -m benchmarks.sites --posts 10000 --runs 3 --unique
	$(BIN)/python -m benchmarks.search
	cd tests/browser && npm ci --ignore-scripts --no-audit --no-fund --silent
	$(BIN)/python -m benchmarks.lighthouse

# Every property on 10,000 examples, and 500 sequences of edits.
thorough: .venv/dev
	FENCEPOST_SEQUENCES=500 $(BIN)/pytest -n 2 --hypothesis-profile thorough tests/test_properties.py tests/test_memo.py

clean: .venv/installed
	$(BIN)/fencepost clean

.venv/installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(INSTALL) --upgrade pip
	$(INSTALL) -e '.[torch]'
	$(BIN)/python -m compileall -q builder
	touch $@

.venv/dev: .venv/installed
	$(INSTALL) --group dev
	touch $@
