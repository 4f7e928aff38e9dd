# wireproof: everything is set up by the command that needs it. `make help` lists the commands.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
TRANSPORT ?= all
EXAMPLES ?= 20
MUTANTS ?= 1000000
TESTS ?= tests
# Tests and what they start are compiled once, and not anew by each worker and each process.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help reference demo bytecode check test suite test-guests coverage fuzz install bench bench-live instructions verdicts fixtures lint screenshots vendor clean

help:
	@echo "make screenshots  take the pictures of the inspector anew, in Chromium"
	@echo "make demo [TRANSPORT=chunked|sse|websocket]  serve, capture, decode, show"
	@echo "make check     lint, types and the quick tests of what changed, or all: within 90 s"
	@echo "make test      run the whole test suite (lint and types first)"
	@echo "make test-guests  install it into projects old and new, and run their suites"
	@echo "make coverage [FOLDERS=all]  say which branches of the decoders their own tests do not take"
	@echo "make fuzz      draw new examples for the tests of properties, 20 times as many"
	@echo "make install   set up $(VENV), nothing else"
	@echo "make fixtures  record the stored captures and their expected files anew"
	@echo "make vendor    fetch the libraries of the inspector's page anew from npm"
	@echo "make reference write the pages anew that are made from the source, and the output they quote"
	@echo "make bench     run the benchmarks against their peers"
	@echo "make bench-live  only those of packets as they arrive"
	@echo "make instructions  count the machine instructions of a small decode, and compare"
	@echo "make verdicts  explain the labelled captures, and compare with what really happened"

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	@PYTHON="$(PYTHON)" sh .ci/venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: install
	@$(BIN)/wireproof demo $(TRANSPORT)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@sh .ci/scripts

# Tests start commands by the thousand. One that root starts gives up the right to write beside the
# sources before it loads most of them, and without bytecode it takes more than twice as long.
bytecode: install
	@$(BIN)/python -m compileall -q parsers capture server wireproof

# Only tests that need nothing but Python, and are not slow.
check: lint bytecode
	$(BIN)/pytest -n auto --dist worksteal -q \
	  -m "not (slow or packets or namespaces or redirects or browser or firefox or tshark or tool)" \
	  $$($(BIN)/python tests/support/changed.py)

# Lint takes one core for a minute: tests have the other meanwhile.
test: install
	@sh .ci/tools tshark ip:iproute2 tcpdump chromium firefox-esr nginx haproxy node:nodejs curl openssl systemd-analyze:systemd
	@$(MAKE) --no-print-directory -j2 lint suite

# In a fresh checkout pytest rewrites every module once here, in two processes, or in each worker.
suite: bytecode
	@ls tests/__pycache__/conftest.*-pytest-*.pyc >/dev/null 2>&1 || \
	  for half in "parsers capture server" "wireproof docs test_*.py"; do \
	    (cd tests && exec ../$(BIN)/pytest --collect-only -qq $$half >/dev/null 2>&1) & \
	  done; wait
	$(BIN)/python -m capture -- $(BIN)/pytest -n auto --dist worksteal --durations 10

# GUESTS="oldest newest": what CI visits, beside an environment with nothing else.
test-guests: install
	$(BIN)/python tests/guests $(GUESTS)

# FOLDERS=all, or names: which decoders; else those of which their own tests leave nothing out.
coverage: install
	$(BIN)/python tests/support/own_coverage.py $(FOLDERS)

# What it finds becomes an explicit @example of its test: CONTRIBUTING.md says how.
fuzz: install
	WIREPROOF_EXAMPLES=$(EXAMPLES) $(BIN)/pytest -n auto --dist worksteal --timeout 3600 \
	  -m hypothesis $(TESTS)
	WIREPROOF_MUTANTS=$(MUTANTS) $(BIN)/pytest -q -n auto -k many_mutants tests/wireproof/test_every_command.py

fixtures: install
	$(BIN)/python -m fixtures.record

reference: install
	$(BIN)/python docs/diagnostics.py
	$(BIN)/python docs/endings.py
	$(BIN)/python docs/records.py
	$(BIN)/python docs/explain_schema.py
	$(BIN)/python docs/architecture.py
	$(BIN)/python docs/performance.py
	$(BIN)/python docs/outputs.py

bench: install
	@sh .ci/tools tshark tcpflow
	$(BIN)/python -m benchmarks --json benchmarks.json
	$(BIN)/python -m benchmarks.commands
	$(BIN)/python -m benchmarks.processes
	$(MAKE) bench-live
	$(BIN)/python -m benchmarks.page

# What keeps up with packets as they arrive: at 50,000 a second, and 10,000 events a second.
bench-live: install
	$(BIN)/python -m benchmarks.high_rate
	$(BIN)/python -m benchmarks.live_rate
	$(BIN)/python -m benchmarks.latency

# A slow-down of 5 % is seen in the change that makes it; --store stores a count that is meant.
instructions: install
	@sh .ci/tools valgrind
	$(BIN)/python -m benchmarks.instructions

verdicts: install
	$(BIN)/python -m benchmarks.verdicts --page docs/verdicts.md

screenshots: install
	$(BIN)/python docs/screenshots.py

vendor:
	@sh .ci/vendor

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
