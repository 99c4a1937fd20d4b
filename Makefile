# `make run` and `make test` need git, make and Python 3.11 or later; everything else is installed into .venv.

PYTHON ?= python3
PIP = .venv/bin/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock

.PHONY: run report test test-slow test-ledger test-all lint coverage site pictures notebook chaos benchmark lock clean

run: .venv/installed
	.venv/bin/kedro run --pipeline deep

# Open the current report; create it first if it does not exist.
report: .venv/installed
	@report=$$(.venv/bin/kedro runs path report --make) && echo "$$report" && .venv/bin/python -m webbrowser "file://$$report"

# All tests except those marked slow: about four minutes.
test: .venv/installed-test lint
	.venv/bin/pytest -m "not slow"

# Tests with Chromium, cron, Dask clusters and kills at every step: about ten minutes more. Tests that need Chromium,
# cron or root are skipped without them.
test-slow: .venv/installed-test
	.venv/bin/pytest -m slow

# The ledger in an ordinary Kedro project, with every kind of dataset and with kedro-mlflow: about two minutes.
test-ledger: .venv-ledger/installed
	.venv-ledger/bin/python -m pytest tests/kedro_ledger/kinds

test-all: test test-slow test-ledger

# Coverage of src by the tests of `make test`, including the processes that they start.
coverage: .venv/installed-test
	.venv/bin/pytest -m "not slow" --cov

lint: .venv/installed-test
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports --no-cache

# Web page with the results of the last committed run, for any static file server.
site: .venv/installed
	.venv/bin/kedro viz build --include-previews
	@echo "The site is in build. To view it, run: python3 -m http.server --bind 127.0.0.1 --directory build"

# Pictures in docs, from the last committed run of everything; needs Chromium and chromedriver.
pictures: .venv/installed-test
	.venv/bin/python docs/pictures.py

# Run everything, then the notebook, to refresh its outputs; a test checks that they are up to date.
notebook: .venv/installed-test
	.venv/bin/kedro run
	.venv/bin/jupyter-nbconvert --execute --coalesce-streams --ExecutePreprocessor.record_timing=False \
	    --ClearMetadataPreprocessor.enabled=True --ClearMetadataPreprocessor.preserve_nb_metadata_mask=kernelspec \
	    notebooks/*.ipynb

# A hundred runs, each killed at a random moment on a slow disk: about ten minutes. Needs strace.
chaos: .venv/installed-test
	.venv/bin/pytest tests/kedro_ledger/chaos.py --dist load

benchmark: .venv/installed
	.venv/bin/python benchmarks/run_against_script.py
	.venv/bin/python benchmarks/run_without_ledger.py
	.venv/bin/python benchmarks/many_against_one_by_one.py
	.venv/bin/python benchmarks/two_thousand_runs.py
	.venv/bin/python benchmarks/prune_many_runs.py
	.venv/bin/python benchmarks/large_data.py

# Pin every version, for every platform and Python. Needs uv. pip uses the lock files as constraints, so it installs
# only the packages that it needs.
lock:
	uv pip compile --quiet --universal --python-version 3.11 --all-extras --upgrade --no-annotate \
	    --custom-compile-command "make lock" pyproject.toml --output-file requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --extra test --upgrade --no-annotate \
	    --custom-compile-command "make lock" src/kedro_ledger/pyproject.toml --output-file requirements-ledger.lock

.venv/installed: pyproject.toml requirements.lock
	@echo "Installing PyTorch, Kedro, Kedro-Viz, pandas, plotly and their dependencies into .venv. This takes a few minutes."
	@echo "PyTorch is 190 MB, or several gigabytes on Linux with CUDA; see README.md for installing it without CUDA."
	$(PYTHON) -m venv .venv
	$(PIP) --editable .
	@touch $@

.venv/installed-test: .venv/installed
	@echo "Installing the test dependencies into .venv: pytest, mypy, scikit-learn, Dask, Jupyter and others."
	$(PIP) --editable '.[test]'
	@touch $@

# Not editable and without the rest of src, as in another project.
.venv-ledger/installed: $(shell find src/kedro_ledger -name '*.py' -o -name '*.toml') requirements-ledger.lock
	@echo "Installing the ledger, the dependencies of kedro-datasets and MLflow into .venv-ledger (1.8 GB)."
	$(PYTHON) -m venv .venv-ledger
	rm -rf .venv-ledger/source && cp -r src/kedro_ledger .venv-ledger/source
	.venv-ledger/bin/python -m pip install --quiet --disable-pip-version-check --no-compile \
	    --constraint requirements-ledger.lock './.venv-ledger/source[test]'
	@touch $@

clean:
	rm -rf .venv .venv-ledger .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage*
