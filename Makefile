# The lecture's commands; `make` alone lists them. To change the Python: make clean, then
# make lab PYTHON=python3.12

PYTHON ?= python3
# In a container one is often root, and Jupyter wants to hear that this is meant.
ALLOW_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

UV_LOCK := --universal --python-version 3.11 --fork-strategy fewest --no-annotate --custom-compile-command "make lock" --quiet

# Files go to the workers in order; else those of few tests, which here are the longest, would be last.
IN_ORDER := --dist loadscope --no-loadscope-reorder

.PHONY: help lab teach test slides lint format notebooks bench handout site test-site lock lowest clean

help:  ## list the commands
	@sed -n 's/^\([a-z-]*\):.*##/make \1:/p' Makefile

lab: .venv/lab  ## open the lecture in JupyterLab
	.venv/bin/jupyter lab --LabApp.default_url=/lab/tree/notebooks $(ALLOW_ROOT)

teach: .venv/teach  ## present the lecture (from another notebook: make teach NOTEBOOK=notebooks/02_sgd.ipynb)
	.venv/bin/python tools/present.py $(NOTEBOOK) $(ALLOW_ROOT)

test: lint  ## check everything: style, notebooks, helpers, and in a browser explorers and slides
	.venv/bin/pytest --numprocesses 2 --dist loadscope --cov --ignore tests/browser --ignore tests/site
	.venv/bin/pytest -r s --numprocesses 2 $(IN_ORDER) tests/browser

slides: .venv/test  ## walk through the slides of all notebooks, and report what a class could not see
	SLIDES=all .venv/bin/pytest tests/browser/test_slides.py

lint: .venv/test  ## check the style of code and notebooks
	.venv/bin/ruff check
	.venv/bin/ruff format --check

format: .venv/test  ## repair the style of code and notebooks
	.venv/bin/ruff check --fix-only
	.venv/bin/ruff format

notebooks: .venv/test  ## run all notebooks afresh and store their outputs
	.venv/bin/python tools/run_notebooks.py

bench: .venv/test  ## measure the helpers and the explorers
	.venv/bin/python benchmarks/engine.py
	.venv/bin/python benchmarks/latency.py

handout: .venv/test  ## print the lessons into _handout: for students, and with notes for the teacher
	.venv/bin/python tools/handout.py

site: .venv-site/site  ## write the lecture as a site into _site: a book, and a laboratory in the browser
	.venv-site/bin/python website/build.py _site

test-site: site .venv/test  ## check the site in a browser without a network
	.venv/bin/pytest -r s --numprocesses 2 $(IN_ORDER) tests/site

lock: .venv/maintain  ## write the locks anew (remove the files first to upgrade everything)
	.venv/bin/uv pip compile pyproject.toml --extra test $(UV_LOCK) --output-file requirements.lock
	.venv/bin/uv pip compile pyproject.toml --extra site $(UV_LOCK) --output-file website/requirements.lock

lowest: .venv/maintain  ## test with the lowest versions that pyproject.toml allows
	# old releases may call what newer ones beside them deprecate: no fault of the lecture
	$(PYTHON) -m venv --clear .venv-lowest
	.venv/bin/uv pip install --quiet --python .venv-lowest --resolution lowest-direct --editable ".[test]"
	.venv-lowest/bin/pytest -W default::DeprecationWarning --disable-warnings --numprocesses 2 --dist loadscope --ignore tests/browser --ignore tests/site

clean:  ## remove everything that these commands made
	rm -rf .venv* _handout _site .pytest_cache .ruff_cache .hypothesis .coverage*
	find . \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +

# The stamp of an extra says that it is installed; a change of these two files asks for it again.
.venv/%: pyproject.toml requirements.lock
	$(INSTALL)
	@.venv/bin/python -c "import matplotlib.font_manager"  # or the first picture waits for it

.venv-site/%: pyproject.toml website/requirements.lock
	$(INSTALL)

define INSTALL
	@echo "Installing $* into $(@D): once, about a minute ..."
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/pip install --quiet --disable-pip-version-check --constraint $(lastword $^) --editable ".[$*]"
	@touch $@
endef
