# `make run` and `make test` need git, make and Python 3.11 or later; all else goes into .venv.

PYTHON ?= python3
PIP = .venv/bin/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock

.PHONY: run report test test-slow test-ledger test-all lint coverage site pictures notebook chaos benchmark lock clean

run: .venv/installed
	.venv/bin/kedro run --pipeline deep

# Opens the report of the run that readers see; if there is none, makes it first from what they see.
report: .venv/installed
	@report=$$(.venv/bin/kedro runs path report --make) && echo "$$report" && .venv/bin/python -m webbrowser "file://$$report"

# Everything but what is marked slow: about two minutes.
test: .venv/installed-test lint
	.venv/bin/pytest -m "not slow"

# Chromium, cron, Dask clusters, kills at every step: about ten minutes more. Without Chromium, cron or root, tests that
# need them are skipped.
test-slow: .venv/installed-test
	.venv/bin/pytest -m slow

# The ledger in a project like any other, with every kind of dataset, and beside kedro-mlflow: about two minutes.
test-ledger: .venv-ledger/installed
	.venv-ledger/bin/python -m pytest tests/kedro_ledger/kinds

test-all: test test-slow test-ledger

# The share of src that the tests of `make test` run, in their processes too.
coverage: .venv/installed-test
	.venv/bin/pytest -m "not slow" --cov

lint: .venv/installed-test
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports --no-cache

# What the last committed run made, as a web page for any static file server.
site: .venv/installed
	.venv/bin/kedro viz build --include-previews
	@echo "The site is in build. To look at it: python3 -m http.server --bind 127.0.0.1 --directory build"

# The pictures in docs, of the last committed run of everything; needs Chromium with its driver.
pictures: .venv/installed-test
	.venv/bin/python docs/pictures.py

# What the notebook's cells show, anew, of a run of everything; a test holds that it is what they show.
notebook: .venv/installed-test
	.venv/bin/kedro run
	.venv/bin/jupyter-nbconvert --execute --coalesce-streams --ExecutePreprocessor.record_timing=False \
	    --ClearMetadataPreprocessor.enabled=True --ClearMetadataPreprocessor.preserve_nb_metadata_mask=kernelspec \
	    notebooks/*.ipynb

# A hundred runs, each killed at a random moment on a slow disk: about ten minutes; needs strace.
chaos: .venv/installed-test
	.venv/bin/pytest tests/kedro_ledger/chaos.py --dist load

benchmark: .venv/installed
	.venv/bin/python benchmarks/run_against_script.py
	.venv/bin/python benchmarks/run_without_ledger.py
	.venv/bin/python benchmarks/many_against_one_by_one.py
	.venv/bin/python benchmarks/two_thousand_runs.py
	.venv/bin/python benchmarks/prune_many_runs.py
	.venv/bin/python benchmarks/large_data.py

# Every version, for every platform and Python (needs uv). pip takes them as constraints: it installs only what
# is needed of them.
lock:
	uv pip compile --quiet --universal --python-version 3.11 --all-extras --upgrade --no-annotate \
	    --custom-compile-command "make lock" pyproject.toml --output-file requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --extra test --upgrade --no-annotate \
	    --custom-compile-command "make lock" src/kedro_ledger/pyproject.toml --output-file requirements-ledger.lock

.venv/installed: pyproject.toml requirements.lock
	@echo "Downloading and installing into .venv, which takes a few minutes: PyTorch (190 MB, or on Linux several gigabytes"
	@echo "with CUDA: README.md says how to do without), Kedro, Kedro-Viz, pandas, plotly and what they need."
	$(PYTHON) -m venv .venv
	$(PIP) --editable .
	@touch $@

.venv/installed-test: .venv/installed
	@echo "Downloading and installing what the tests need: pytest, mypy, scikit-learn, Dask, Jupyter and others."
	$(PIP) --editable '.[test]'
	@touch $@

# Not editable and without the rest of src, as a foreign project has it.
.venv-ledger/installed: $(shell find src/kedro_ledger -name '*.py' -o -name '*.toml') requirements-ledger.lock
	@echo "Downloading and installing into .venv-ledger: the ledger, what kedro-datasets reads and writes with, MLflow (1.8 GB)."
	$(PYTHON) -m venv .venv-ledger
	rm -rf .venv-ledger/source && cp -r src/kedro_ledger .venv-ledger/source
	.venv-ledger/bin/python -m pip install --quiet --disable-pip-version-check --no-compile \
	    --constraint requirements-ledger.lock './.venv-ledger/source[test]'
	@touch $@

clean:
	rm -rf .venv .venv-ledger .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage*
