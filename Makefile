# make demo: trains a conditional GAN on real digits, in under a minute, and prints the path of a picture.
# make test-fast: lint and the tests that train nothing and compile little, after every edit (3 minutes).
# make test: all but the slow tests, before every commit (10 minutes). make test-all: everything.
# make peers: installs the implementations in PyTorch that some tests compare with; without them they are skipped.
# Each sets up .venv first, once. Times are of two cores and an empty cache; .cache/xla keeps what was compiled.

PYTHON ?= python3
BIN := .venv/bin
PIPFLAGS ?=
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIPFLAGS)
PYTEST ?=
OWN_EMITTER := "--xla_force_host_platform_device_count=8 --xla_backend_optimization_level=0"
TEST := $(BIN)/python -m pytest -n 2 --dist loadscope $(PYTEST)

.PHONY: demo install peers check test test-fast test-slow test-all lint clean

# The first start compiles. At level 1 that takes half the time, and the steps are as fast; some last bits are others.
demo: export XLA_FLAGS := --xla_backend_optimization_level=1 --xla_llvm_disable_expensive_passes=true $(XLA_FLAGS)
demo: install
	$(BIN)/gan-jax train projection --images 36000 --sample-every 375 --run-dir runs/demo
	@$(BIN)/python scripts/gallery.py runs/demo --scale 3 --out runs/demo/digits.png
	@echo "picture     runs/demo/digits.png"

check: install
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/lint-imports

test-fast: check
	$(TEST) -m "not slow and not medium"

test: check
	$(TEST) -m "not slow"

# The one that compares the bits of two programs needs XLA's own emitter of fused loops: see tests/conftest.py.
test-slow: check
	$(TEST) -m slow
	XLA_FLAGS=$(OWN_EMITTER) $(BIN)/python -m pytest tests/training/test_train.py -k both_pipelines

test-all: test test-slow

install: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "gan_jax needs Python 3.11 or newer: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(PIP) --constraint constraints.txt --editable '.[test]'
	@touch $@

peers: install
	$(PIP) torch==2.13.0
	# Without what it asks for: torchvision, which it needs for data sets and networks that are not used here.
	$(PIP) --no-deps torch-fidelity==0.4.0

lint: install
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format .

clean:
	rm -rf .venv .cache .import_linter_cache
