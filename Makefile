# The words a person types. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo check test test-system test-faults test-engines test-engines-full test-page test-stores test-deploy fuzz lint docs bench-memory bench-prepare bench-loader bench-training bench-peers clean

help:  ## list these words
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

setup: $(INSTALLED)  ## make .venv with the textgen command in it

$(INSTALLED): setup.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "$(PYTHON) is older than 3.10; name a newer one: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "$(PYTHON) cannot make a virtual environment; on Debian: apt-get install python3-venv" >&2; exit 2; }
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: setup  ## prepare, train on and write text from the sample corpus (under 6 minutes)
	$(BIN)/python examples/demo.py

# Each process would compile the same modules anew.
unexport PYTHONDONTWRITEBYTECODE

# Files stay whole, so that what a file's tests share is made once, and the longest begin first (tests/conftest.py).
PYTEST := $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

check: lint  ## Ruff, mypy and the fast tests (1 to 2 minutes): before every commit
	$(PYTEST) -m 'not slow'

test: setup  ## all tests of the parts, on all cores (8 to 12 minutes)
	$(PYTEST) -m 'not system'

test-system: setup  ## whole processes: commands of the documentation, notebooks, several devices, kills (9 to 12 minutes)
	$(PYTEST) -m system

FAULTS ?=

test-faults: setup  ## kills, signals, clusters, full disks, two commands at once, hostile files (under 5 minutes; all: FAULTS=--full)
	$(BIN)/python -m tests.faults.run $(FAULTS)

ENGINES ?=

test-engines: setup  ## prepares on Prism, Spark and others, real ones installed into .engines, with kills (under 15 minutes; fewer: ENGINES=--ci)
	$(BIN)/python -m tests.engines.run $(ENGINES)

test-engines-full: setup  ## all settings, corpora and kills on all engines (hours), as in docs/engines
	$(BIN)/python -m tests.engines.run --full $(ENGINES)

test-page: setup  ## the server's page in a headless browser (needs Chromium; 1 minute)
	$(BIN)/pip install --quiet --disable-pip-version-check 'playwright>=1.50,<2'
	$(BIN)/python -m tests.page.run

STORES ?=

test-stores: setup .stores/.installed  ## every command at real object stores on this machine, with faults (needs Go; all: STORES=--full)
	$(BIN)/python -m tests.stores.run $(STORES)

# Go checks each module against the checksum database, and Maven each jar against the registry's checksum.
.stores/.installed: setup.py Makefile tests/stores/hadoop.xml
	GOBIN=$(CURDIR)/.stores go install github.com/fsouza/fake-gcs-server@v1.56.1
	GOBIN=$(CURDIR)/.stores go install github.com/versity/versitygw/cmd/versitygw@v1.8.0
	if command -v mvn > /dev/null; then mvn --batch-mode --quiet --strict-checksums --file tests/stores/hadoop.xml \
	  dependency:copy-dependencies -DoutputDirectory=$(CURDIR)/.stores/hadoop; fi
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[aws,gs]'
	@touch $@

DEPLOY ?=

test-deploy: setup .stores/.installed .deploy/.installed  ## deploy/ and training on several machines, as far as one can (30 minutes; needs root, Go)
	.deploy/bin/python -m tests.deploy.run --workers 1 $(DEPLOY)

# An environment that adds Beam's driver of Google Cloud to that of the project.
.deploy/.installed: setup.py Makefile
	$(BIN)/python -m venv .deploy
	$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > "$$(.deploy/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/project.pth"
	.deploy/bin/pip install --quiet --disable-pip-version-check 'apache-beam[gcp]>=2.77,<2.78' 'gcsfs>=2024.2,<2027' 'kubernetes-validate>=1.34,<2'
	@touch $@

FUZZ ?= --minutes 10

fuzz: setup  ## random files, valid and damaged, through all readers (10 minutes, or FUZZ='--minutes 2 --seed 1')
	$(BIN)/python -m tests.fuzzing.run $(FUZZ)

docs: setup  ## build the documentation into site/; broken links and undocumented public names fail
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

lint: setup  ## Ruff and mypy alone
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench-memory: setup  ## peak memory of preparation against the size of the corpus
	$(BIN)/python benchmarks/memory.py

bench-prepare: setup .venv-peers/.installed  ## speed of preparation beside other libraries (40 minutes)
	$(BIN)/python benchmarks/prepare.py

bench-loader: setup .venv-peers/.installed  ## speed of serving pairs beside other libraries (25 minutes)
	$(BIN)/python benchmarks/loader.py

bench-training: setup .venv-peers/.installed  ## speed of training beside PyTorch and Keras (60 minutes)
	$(BIN)/python benchmarks/training.py

bench-peers:  ## both of these, one after the other
	@$(MAKE) --no-print-directory -j1 bench-prepare bench-loader

.venv-peers/.installed: benchmarks/peers/requirements.txt benchmarks/peers/requirements-alone.txt
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/pip install --quiet --disable-pip-version-check torch==2.13.0
	.venv-peers/bin/pip install --quiet --disable-pip-version-check -r benchmarks/peers/requirements.txt
	.venv-peers/bin/pip install --quiet --disable-pip-version-check --no-deps -r benchmarks/peers/requirements-alone.txt
	@touch $@

clean:  ## remove what the words above made
	rm -rf $(VENV) .venv-peers .engines .stores .deploy demo build site *.egg-info .pytest_cache .mypy_cache .ruff_cache
