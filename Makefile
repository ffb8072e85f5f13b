# The lecture's commands; `make` alone lists them. To change the Python: make clean, then
# make lab PYTHON=python3.12

PYTHON ?= python3
# In a container one is often root, and Jupyter wants to hear that this is meant.
ALLOW_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

.PHONY: help lab teach test lint format notebooks bench lock lowest clean

help:  ## list the commands
	@sed -n 's/^\([a-z]*\):.*##/make \1:/p' Makefile

lab: ready-lab  ## open the lecture in JupyterLab
	OPENBLAS_NUM_THREADS=1 .venv/bin/jupyter lab --config=tools/lab_config.py --LabApp.default_url=/lab/tree/notebooks $(ALLOW_ROOT)

teach: ready-teach  ## open the lecture in JupyterLab, ready to be presented
	OPENBLAS_NUM_THREADS=1 .venv/bin/python tools/present.py --config=tools/lab_config.py $(ALLOW_ROOT)

test: lint  ## check everything: style, notebooks, helpers, and in a browser explorers and slides
	.venv/bin/pytest --numprocesses 2 --dist loadscope --cov --ignore tests/browser
	.venv/bin/pytest -r s tests/browser

lint: ready-test  ## check the style of code and notebooks
	.venv/bin/ruff check
	.venv/bin/ruff format --check

format: ready-test  ## repair the style of code and notebooks
	.venv/bin/ruff check --fix-only
	.venv/bin/ruff format

notebooks: ready-test  ## run all notebooks afresh and store their outputs
	.venv/bin/python tools/run_notebooks.py

bench: ready-test  ## measure the helpers and the explorers
	.venv/bin/python benchmarks/engine.py
	.venv/bin/python benchmarks/latency.py

lock: ready-maintain  ## write requirements.lock anew (remove the file first to upgrade everything)
	.venv-maintain/bin/uv pip compile pyproject.toml --extra test --extra teach --universal --python-version 3.11 --fork-strategy fewest --no-annotate --custom-compile-command "make lock" --quiet --output-file requirements.lock

lowest: ready-maintain  ## test with the lowest versions that pyproject.toml allows
	$(PYTHON) -m venv --clear .venv-lowest
	.venv-maintain/bin/uv pip install --quiet --python .venv-lowest --resolution lowest-direct --editable ".[test,teach]"
	.venv-lowest/bin/pytest --numprocesses 2 --dist loadscope --ignore tests/browser

clean:  ## remove everything that these commands made
	rm -rf .venv* .pytest_cache .ruff_cache .hypothesis .coverage*
	find . \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +

ready-%:
	@$(PYTHON) tools/environment.py $*
