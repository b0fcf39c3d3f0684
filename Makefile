# make demo: train a GAN on real digits. make test: the whole suite. Both set up .venv first, once. make peers adds the
# implementations of others in PyTorch that some tests compare with; without them those tests are skipped.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo install peers test lint clean

demo: install
	$(BIN)/gan-jax train experiments/mnist_mlp.py

test: install
	$(BIN)/python -m ruff check .
	$(BIN)/python -m pytest -n 2

install: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "gan_jax needs Python 3.11 or newer: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test]'
	@touch $@

peers: install
	$(BIN)/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	# Without what it asks for: torchvision, which it needs for data sets and networks that are not used here.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps torch-fidelity==0.4.0

lint: install
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format .

clean:
	rm -rf .venv .cache
