# Thin names for the commands the README explains; `make help` lists them.
VENV   ?= .venv
PYTHON := $(VENV)/bin/python
BASE   ?=
IMAGE  ?= kagent-runtime:dev

.PHONY: help venv test lint controlplane e2e bench lock image
.DEFAULT_GOAL := help

help: ## list the targets
	@sed -n 's/^\([a-z0-9]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST)

venv: $(PYTHON) ## make the virtual environment with everything in it

$(PYTHON): pyproject.toml
	python3 -m venv $(VENV)
	$(PYTHON) -m pip install --quiet --editable '.[runtime,dev]'
	@touch $@

test: venv ## run the tests that need no container
	$(PYTHON) -m pytest

lint: venv ## check style, types and the layering of imports
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/shellcheck .ci/run runtime/bootstrap_venv.sh
	$(VENV)/bin/hadolint runtime/Dockerfile runtime/argocd.Dockerfile runtime/helm.Dockerfile

controlplane: venv ## build a real Kubernetes control plane for the tests (CONTRIBUTING.md says how long it takes)
	$(PYTHON) -m tests.e2e.controlplane.build

e2e: venv controlplane ## try the manifests as containers (root, podman, buildah, runc, debootstrap) and in a cluster
	REQUIRE_CONTAINERS=1 REQUIRE_APISERVER=1 $(PYTHON) -m pytest tests/e2e

bench: venv ## run the benchmarks
	$(PYTHON) -m tests.benchmarks.bench_compiler

UV_COMPILE = $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
	--no-annotate --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'

lock: venv ## resolve what the images have again into runtime/requirements.lock and runtime/argocd.lock
	$(PYTHON) -c 'import tomllib; extras = tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]; print(*extras["runtime"], *extras["vector"], sep="\n")' \
		| $(UV_COMPILE) --output-file runtime/requirements.lock -
	$(UV_COMPILE) --output-file runtime/argocd.lock pyproject.toml

image: ## build the runtime image with podman
	podman build $(if $(BASE),--build-arg BASE=$(BASE)) --tag $(IMAGE) runtime
