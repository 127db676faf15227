# `make` alone checks everything that a commit must hold. `make help` lists the rest.
SHELL       := /bin/bash -o pipefail
.DEFAULT_GOAL := check
.DELETE_ON_ERROR:

PYTHON ?= python3
UV     := .local/uv/bin/uv
BIN    := .venv/bin
ENGINE := .venv-engine/bin
WHEEL  := .local/dist/wheel.stamp
NODE   := tests/clients/node
SOURCES := $(shell find operator server -name '*.py' -o -name py.typed 2>/dev/null)
LOCK   := $(UV) pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --python-version 3.11 --universal --custom-compile-command "make lock"
CPU    := --overrides requirements/cpu-overrides.txt --excludes requirements/cpu-excludes.txt

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 16

# --- environments -----------------------------------------------------------------------------------------------------

$(UV): requirements/uv.txt
	@$(PYTHON) -m hack.bootstrap && $(PYTHON) -m venv .local/uv && .local/uv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $< && touch $@

.venv/stamp: requirements/dev.txt | $(UV)
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv
	@$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt && rm -f .venv/wheel.stamp && touch $@

.venv-engine/stamp: requirements/engine.txt | $(UV)
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv-engine
	@$(UV) pip sync --quiet --compile-bytecode --python $(ENGINE)/python --require-hashes requirements/engine.txt && rm -f .venv-engine/wheel.stamp && touch $@

.venv-judge/stamp: requirements/judge.txt | $(UV)
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv-judge
	@$(UV) pip sync --quiet --python .venv-judge/bin/python --require-hashes requirements/judge.txt && touch $@

.venv-gpu/stamp: requirements/server-gpu.txt | $(UV)
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv-gpu
	@$(UV) pip sync --quiet --compile-bytecode --python .venv-gpu/bin/python --require-hashes requirements/server-gpu.txt && rm -f .venv-gpu/wheel.stamp && touch $@

$(WHEEL): $(SOURCES) pyproject.toml README.md LICENSE requirements/build.txt | $(UV)
	@rm -rf .local/dist && $(UV) build --quiet --wheel --python $(PYTHON) --build-constraints requirements/build.txt --require-hashes --out-dir .local/dist && touch $@

%/wheel.stamp: $(WHEEL) %/stamp
	@$(UV) pip install --quiet --python $*/bin/python --no-deps --reinstall .local/dist/*.whl && touch $@

$(NODE)/node_modules/.package-lock.json: $(NODE)/package-lock.json $(NODE)/.npmrc | .venv/stamp
	@$(BIN)/npm ci --prefix $(NODE) >/dev/null && touch $@

.PHONY: venv venv-engine wheel
venv: .venv/wheel.stamp                 ## The development environment, with the built wheel in it
venv-engine: .venv-engine/wheel.stamp   ## The same with vLLM on the CPU
wheel: $(WHEEL)                         ## The wheel

# --- check and test ---------------------------------------------------------------------------------------------------

.PHONY: check fix verify generate lock test test-unit test-engine
check: venv ## Format, lint, types, import contracts, generated files (the default)
	@$(BIN)/ruff format --check --quiet . || { echo "Some files are not formatted: run 'make fix'."; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@report=$$(PYTHONPATH=operator:server $(BIN)/lint-imports --no-cache 2>&1) || { echo "$$report"; exit 1; }
	@$(MAKE) --no-print-directory verify

fix: .venv/stamp ## Format, and mend what the linter can mend
	@$(BIN)/ruff format --quiet . && $(BIN)/ruff check --quiet --fix . || true

generate: .venv/wheel.stamp ## Write the generated files anew: CRD, chart role, reference pages
	@$(BIN)/python -m hack.generate

verify: .venv/wheel.stamp ## Fail if a generated file is not what the sources say
	@$(BIN)/python -m hack.generate --check

lock: $(UV) ## Resolve the pinned requirement files anew
	@echo "uv==0.13.9" | $(LOCK) - -o requirements/uv.txt
	@echo "hatchling==1.33.0" | $(LOCK) - -o requirements/build.txt
	@$(LOCK) pyproject.toml --extra operator --extra server --extra cli --extra weights --group dev -o requirements/dev.txt
	@$(LOCK) pyproject.toml --extra operator --extra weights -o requirements/operator.txt
	@$(LOCK) --group pyproject.toml:judge -o requirements/judge.txt
	@$(LOCK) $(CPU) pyproject.toml requirements/server-cpu.in --extra server -c requirements/dev.txt -o requirements/server-cpu.txt
	@$(LOCK) $(CPU) pyproject.toml requirements/server-cpu.in requirements/engine.in --extra server --group test -c requirements/dev.txt -c requirements/server-cpu.txt -o requirements/engine.txt
	@$(LOCK) pyproject.toml requirements/server-gpu.in --extra server -c requirements/dev.txt -o requirements/server-gpu.txt
	@$(MAKE) --no-print-directory .venv/stamp
	@$(BIN)/npm install --package-lock-only --prefix $(NODE) >/dev/null && $(BIN)/python -m hack.npm_lock $(NODE)/package-lock.json

test: test-unit test-engine ## Every test that needs no cluster

test-unit: venv $(NODE)/node_modules/.package-lock.json
	@$(BIN)/python -m pytest -m "not cluster and not engine"

test-engine: venv-engine
	@$(ENGINE)/python -m hack.weights
	@$(ENGINE)/python -m pytest -m engine tests/server_engine

# Each is a target of its own; whoever adds one adds it here.
SOAKS := soak-parsers soak-proofs
.PHONY: soak $(SOAKS)
soak: $(SOAKS) ## What takes too long for every commit

soak-parsers: venv # Every parser of what others wrote, 100,000 made-up cases in all
	@$(BIN)/python -m pytest --hypothesis-profile=soak --timeout 3600 tests/properties

soak-proofs: venv # What is promised about faults, twenty times as often; PROOFS says how many times
	@PROOFS=$(or $(PROOFS),20) $(BIN)/python -m pytest --timeout 7200 tests/operator_api/proofs

# --- judge ------------------------------------------------------------------------------------------------------------

.PHONY: judge audit sbom
judge: venv .venv-judge/stamp ## Other people's judges over Dockerfile, code, chart and children (seconds)
	@$(BIN)/python -m hack.judge

audit: .venv-judge/stamp ## Known vulnerabilities of what images hold; needs PyPI's advisory database
	@for image in operator server-cpu server-gpu; do .venv-judge/bin/pip-audit --strict --require-hashes --disable-pip --progress-spinner off -r requirements/$$image.txt || exit 1; done

sbom: venv .venv-judge/stamp ## A bill of materials (CycloneDX) for each image, in .local/sbom
	@$(BIN)/python -m hack.judge.sbom

.PHONY: gateway
gateway: .venv/stamp ## An S3-compatible server for the tests that want one (two minutes, once)
	@$(BIN)/python -m hack.gateway

# --- measure ----------------------------------------------------------------------------------------------------------

.PHONY: bench-operator
bench-operator: venv ## The operator with 100, 1,000 and 5,000 models on an emulated API server (RECORD=1 writes docs/figures.md)
	@$(BIN)/python -m hack.bench_operator $(if $(RECORD),--record)

.PHONY: bench-server bench-gpu
bench-server: venv venv-engine ## The server against vLLM's own, in about 15 minutes (QUICK=1 for a first look, RECORD=1 writes docs/figures.md)
	@$(ENGINE)/python -m hack.weights
	@$(BIN)/python -m hack.bench_server $(if $(QUICK),--quick) $(if $(RECORD),--record)

bench-gpu: venv ## Tokens a second and time to first token on a GPU, ours beside vLLM's own server (MODEL=folder)
	@$(BIN)/python -m hack.bench_server.gpu --model "$(MODEL)" --look
	@$(MAKE) --no-print-directory .venv-gpu/wheel.stamp
	@$(BIN)/python -m hack.bench_server.gpu --model "$(MODEL)"

# --- on a cluster -----------------------------------------------------------------------------------------------------

.PHONY: cluster cluster-down images demo demo-down e2e run serve
CLUSTER := $(if $(CONTEXT),--context $(CONTEXT)) $(if $(REGISTRY),--registry $(REGISTRY))

cluster: .venv/stamp ## A real one-node Kubernetes (its own, without Docker)
	@$(BIN)/python -m hack.cluster up

cluster-down: .venv/stamp ## Remove it
	@$(BIN)/python -m hack.cluster down

images: venv ## Build the images; with REGISTRY= also push them
	@$(BIN)/python -m hack.images build $(or $(TARGETS),operator server-cpu) $(if $(REGISTRY),--registry $(REGISTRY) --push)

demo: ## The main job, from nothing to an answer (CONTEXT= and REGISTRY= use a cluster of yours; RECORD=1 writes docs/figures.md)
	@$(PYTHON) -m hack.demo.preflight $(CLUSTER)
	@$(MAKE) --no-print-directory venv venv-engine
	@$(BIN)/python -m hack.demo up $(CLUSTER) $(if $(RECORD),--record)

demo-down: .venv/stamp ## Remove what the demo made
	@$(BIN)/python -m hack.demo down $(CLUSTER)

e2e: venv venv-engine ## The cluster ring: the user's way on a real cluster
	@$(BIN)/python -m pytest -m cluster tests/cluster

run: venv ## The operator on this machine, against the current kubeconfig
	@$(BIN)/qwen-operator run

serve: venv ## The server on this machine with the scripted engine, no model needed
	@$(BIN)/python -m hack.serve

# --- leave nothing behind ---------------------------------------------------------------------------------------------

.PHONY: clean distclean
clean: ## Remove environments and build results, end the clusters
	@if [ -e .venv/stamp ]; then $(BIN)/python -m hack.clean; fi
	@rm -rf .venv .venv-engine .venv-gpu .venv-judge .local dist $(NODE)/node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## Also the caches outside of this folder: binaries, images, model
	@$(PYTHON) -m hack.distclean
