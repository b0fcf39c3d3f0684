# make demo: train a GAN on real digits. make test: the whole suite. Both set up .venv first, once.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo install test lint clean

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

lint: install
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format .

clean:
	rm -rf .venv .cache
