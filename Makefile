# One verb per act, the same at a desk and in continuous integration. `make` alone lists them.
#
#   PYTHON=python3.12        which Python makes the environment (3.11 or newer)
#   LLAMA_WHEEL=FILE|INDEX   a prebuilt llama-cpp-python instead of compiling it
#   CMAKE_ARGS=-DGGML_CUDA=on   how to compile it, when it is compiled
#   MODEL=FILE.gguf RATING=general ONCE=1 PORT=8000 DATA=FOLDER   for `make try`
#   ALL=1 STRICT=1           for `make test`: the slow tests too; a skipped test that is not listed fails
#   BENCH="http --quick"     for `make bench`: which, and how; see tests/bench/README.md
#   MODEL=FILE.gguf QUICK=1 MINUTES=60 JSON=FILE TABLE=FILE STORY="--slots 8"   for `make bench-story`

PYTHON ?= python3
export PYTHON LLAMA_WHEEL CMAKE_ARGS

RUN := .venv/bin/python
SOURCES := bot adapters storage tests deploy
TRY := $(if $(ONCE),--once) $(if $(MODEL),--model "$(MODEL)") $(if $(RATING),--rating "$(RATING)") $(if $(PORT),--port "$(PORT)")
STORIES := $(if $(MODEL),--model "$(MODEL)") $(if $(QUICK),--quick) $(if $(MINUTES),--minutes "$(MINUTES)") $(if $(JSON),--json "$(JSON)") $(if $(TABLE),--table "$(TABLE)")
COMPILE := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header $(if $(UPGRADE),--upgrade)
PYTEST := $(if $(ALL),,-m "not slow") $(if $(STRICT),--skips-are-failures)

.DEFAULT_GOAL := help
.PHONY: help try test test-all lint types contracts format bench bench-story bench-peers site wheel lock clean setup setup-dev

help: ## say what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 22

try: setup ## play: a local page with an opening scene (MODEL=file.gguf RATING=general ONCE=1 PORT=8000)
	@$(RUN) -m bot try --data "$(or $(DATA),var)" $(TRY)

test: setup-dev ## the tests that take seconds (ALL=1: every test; STRICT=1: no skips)
	$(RUN) -m pytest $(PYTEST)

test-all: ## every test, the slow ones too
	$(MAKE) test ALL=1

lint: setup-dev ## style and formatting
	$(RUN) -m ruff check $(SOURCES)
	$(RUN) -m ruff format --check $(SOURCES)

types: setup-dev ## static types
	$(RUN) -m mypy

contracts: setup-dev ## who may import whom
	.venv/bin/lint-imports

format: setup-dev ## mend style and formatting
	$(RUN) -m ruff check --fix $(SOURCES)
	$(RUN) -m ruff format $(SOURCES)

bench: setup-dev ## measure, and print a table
	$(RUN) -m tests.bench $(BENCH)

bench-story: setup-dev ## measure a model's replies (MODEL=file.gguf QUICK=1 MINUTES=60 JSON=file TABLE=file)
	$(RUN) -m tests.bench.story_model $(STORIES) $(STORY)

bench-peers: setup-dev ## build what to measure against: llama-server (about 10 minutes, once)
	@tests/bench/build_peers.sh

site: setup-dev ## build the documents as a site into build/site/public
	$(RUN) -m deploy.site

wheel: setup-dev ## build the distribution into dist/
	$(RUN) -m hatchling build --target wheel

lock: setup-dev ## write the locks anew from pyproject.toml (UPGRADE=1: newest versions that it allows)
	$(COMPILE) pyproject.toml --output-file requirements.lock
	$(COMPILE) pyproject.toml --extra dev --constraint requirements.lock --output-file requirements-dev.lock
	$(COMPILE) tests/homeserver/requirements.in --output-file tests/homeserver/requirements.lock
	sed -n 's/.*"\(uv==[^"]*\)".*/\1/p' pyproject.toml | $(COMPILE) - --output-file requirements-uv.lock

clean: ## remove what was made, the stories in var/ aside
	rm -rf .venv .venv-synapse build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

setup:
	@deploy/setup.sh runtime

setup-dev:
	@deploy/setup.sh dev
