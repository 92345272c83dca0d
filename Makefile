# `make demo` and `make test` do all their own set-up. They need python3 (3.11 or newer, with venv), git and make.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
FIND_PYTHON := for p in "$$PYTHON" python3 python3.14 python3.13 python3.12 python3.11; do \
	[ -n "$$p" ] && "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; p=; done

.DEFAULT_GOAL := help
.PHONY: help demo test lint engine pytest docs bench lab-up lab-down clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/run.stamp ## lint, show and fix a copy of a real project; prove it where there is a Docker
	@DEMO_PROGRAM="$(abspath $(BIN)/dockerslim-lint)" docs/demo.sh

test: $(VENV)/dev.stamp ## everything: style, types, layers, all tests (with a Docker, if one can be had), generated pages
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory engine
	@$(MAKE) --no-print-directory pytest

lint: $(VENV)/dev.stamp ## style, types, and the order of the rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict
	$(BIN)/lint-imports

# Where no Docker answers: the tests' own, if this machine can have it. The tests skip, or fail under
# DOCKERSLIM_REQUIRE_ENGINE=1, with the reason where there is none in the end.
engine: $(VENV)/dev.stamp
	@if docker version --format '{{.Server.Version}}' >/dev/null 2>&1; then echo "engine: the Docker that is set up here"; \
	elif [ -z "$$DOCKER_HOST" ] && [ "$$(id -u)" = 0 ] && [ -f /etc/debian_version ] && [ "$$(uname -m)" = x86_64 ]; then \
		echo "engine: the tests' own; from nothing it takes about ten minutes, later seconds (stop it with: make lab-down)"; \
		$(BIN)/python tests/lab/lab up || true; \
	else echo "engine: none (no Docker answers, and the tests' own needs root on an amd64 Debian)"; fi

# One process more than the cores of the smallest machine that we know: tests that need an engine mostly wait for it.
pytest: $(VENV)/dev.stamp ## the tests alone
	$(BIN)/python -m pytest -n 3 --dist worksteal

docs: $(VENV)/dev.stamp ## write the generated pages
	$(BIN)/python docs/generate.py

bench: $(VENV)/run.stamp ## measure the speed, and fail where a limit is broken
	$(BIN)/python bench/lint_speed.py $(BENCH)

lab-up: $(VENV)/run.stamp ## start the tests' own Docker (Debian, root, no other Docker running)
	$(BIN)/python tests/lab/lab up

lab-down: $(VENV)/run.stamp ## stop it; what it has made stays for the next time
	$(BIN)/python tests/lab/lab down

clean: ## remove the environment and all that tools have left here
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/run.stamp: pyproject.toml
	@$(FIND_PYTHON); \
	[ -n "$$p" ] || { echo "Python 3.11 or newer is needed; PYTHON=/path/to/python3 names one" >&2; exit 1; }; \
	"$$p" -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$$p has no venv; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }; \
	$(BIN)/python -m pip --version >/dev/null 2>&1 || "$$p" -m venv --clear $(VENV)
	@echo "installing dockerslim-lint into $(VENV)"
	@$(PIP) --editable .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp
	@echo "installing what the tests need into $(VENV)"
	@$(PIP) --editable '.[dev]'
	@touch $@
