# Two commands are enough: `make run` and `make test`. Both set up what they need.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
CODE   := contracts adapters gateway tests
JOBS   ?= 2

# The image: what it is made of, by what and as what.
BASE    ?= python:3.13-slim
BUILDER ?= $(shell for name in docker podman buildah; do $$name info >/dev/null 2>&1 && echo $$name && break; done)
VERSION  = $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
TAG     ?= ultimo-gateway:$(VERSION)
SOURCE  ?= unknown
PORT    ?= 8080
comma   := ,
NO_BUILDER := Nothing here builds images: install docker, podman or buildah, or name one with BUILDER=...

.DEFAULT_GOAL := help
.PHONY: help run test lint format types imports unit bench chart lock image image-run clean

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

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

chart: $(READY) ## make the schema and the table of the Helm chart's values anew
	$(BIN)/python -m tests.helm.generate

lock: $(READY) ## pin the dependencies anew, with hashes and without index addresses
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate --extra tracing pyproject.toml -o .ci/requirements.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate --extra tracing --group dev -c .ci/requirements.txt \
		pyproject.toml -o .ci/requirements-dev.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate --group build -c .ci/requirements-dev.txt \
		-o .ci/requirements-build.txt

image: ## build the image TAG on BASE, with BUILDER; PIP_CONF is a pip.conf for another package index
	@set -eu; builder='$(BUILDER)'; options=; \
	test -n "$$builder" || { echo '$(NO_BUILDER)' >&2; exit 1; }; \
	case "$${builder##*/}" in docker) export DOCKER_BUILDKIT=1;; *) options='--format docker';; esac; \
	"$$builder" build $$options --tag '$(TAG)' $(if $(PIP_CONF),--secret 'id=pip$(comma)src=$(PIP_CONF)') \
		--build-arg 'BASE=$(BASE)' --build-arg 'VERSION=$(VERSION)' --build-arg 'SOURCE=$(SOURCE)' \
		--build-arg "REVISION=$$(git describe --always --dirty --abbrev=40 --exclude='*' 2>/dev/null || echo unknown)" \
		--build-arg "CREATED=$$(date -u +%Y-%m-%dT%H:%M:%SZ)" .

image-run: image ## the image's demo on PORT (8080), read-only and without any right
	@set -eu; runner='$(BUILDER)'; \
	case "$${runner##*/}" in buildah) echo 'buildah runs no images: use docker or podman for this' >&2; exit 1;; esac; \
	exec "$$runner" run --rm --read-only --tmpfs /tmp --user 10001:10001 --cap-drop ALL \
		--security-opt no-new-privileges --no-healthcheck --publish '127.0.0.1:$(PORT):8080' \
		'$(TAG)' demo --host 0.0.0.0

clean: ## forget the environment and every cache
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build

$(READY): .ci/requirements-dev.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r .ci/requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
