# Two commands are enough: `make run` and `make test`. Both set up what they need.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
CODE   := contracts adapters gateway tests
JOBS   ?= 2

.DEFAULT_GOAL := help
.PHONY: help run test lint format types imports unit bench lock clean

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(READY) ## the gateway on PORT (8080) in front of a sandbox upstream on SANDBOX_PORT (8081)
	@$(BIN)/ultimo-gateway demo

test: lint unit ## every check: format, lint, types, layers, tests

lint: $(READY) ## format and lint, types, layers
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(READY) ## put the code into the house's form
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

unit: $(READY) ## the tests alone
	$(BIN)/pytest -n $(JOBS) --dist worksteal

bench: $(READY) ## measure: the upstream, a plain pass-through, the gateway
	$(BIN)/python -m tests.bench

lock: $(READY) ## pin the dependencies anew, with hashes and without index addresses
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate --extra tracing pyproject.toml -o .ci/requirements.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate --extra tracing --group dev -c .ci/requirements.txt \
		pyproject.toml -o .ci/requirements-dev.txt

clean: ## forget the environment and every cache
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build

$(READY): .ci/requirements-dev.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r .ci/requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
