# The course's commands. Each one does its own set-up: the first run installs, later runs do not.
PYTHON ?= python3
SOLUTIONS ?= 1
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
LAB_READY := $(VENV)/lab-ready

.DEFAULT_GOAL := help
.PHONY: help book test lab serve slides offline pdf refresh release bench hooks lock clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

book: $(READY) ## build the site from the stored outputs (SOLUTIONS=0 leaves every solution out)
	@$(BIN)/course build $(if $(filter 0,$(SOLUTIONS)),--no-solutions)

test: $(READY) ## run every check: linters, types, tests, notebooks, the site in a browser
	@$(BIN)/course test

lab: $(LAB_READY) ## open JupyterLab at the exercises
	@$(BIN)/jupyter lab --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/exercises

serve: book ## build the site and serve it at http://localhost:8000
	@$(BIN)/python -m http.server --directory _build/html --bind 127.0.0.1 8000

slides: book ## make a lecture of each lesson: slides with figures that move, and notes for the speaker
	@$(BIN)/course slides

offline: slides ## zip the site and the slides into one file, to read without a network
	@$(BIN)/course offline

pdf: book ## print the whole book into one PDF (SOLUTIONS=0 leaves every solution out)
	@$(BIN)/course pdf

refresh: $(READY) ## run the notebooks again and store their outputs
	@$(BIN)/course refresh

release: $(READY) ## write the students' notebooks from the solutions
	@$(BIN)/course release

bench: $(READY) ## measure gradlib against SciPy, optax, autograd and JAX
	@$(BIN)/python -m benchmarks --page chapters/benchmarks.md

hooks: $(READY) ## let git run the quick checks before each commit
	@$(BIN)/pre-commit install

lock: $(READY) ## pin the newest versions that pyproject.toml allows
	@$(BIN)/course lock

clean: ## remove the environment and everything built
	@rm -rf $(VENV) _build

$(VENV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12")'
	@$(PYTHON) -m venv $(VENV)

# The stamp is written last, so that an installation that was broken off starts again.
$(READY): requirements.txt pyproject.toml | $(VENV)
	@echo "Installing the pinned requirements into $(VENV) (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(LAB_READY): requirements-lab.txt $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-lab.txt
	@touch $@
