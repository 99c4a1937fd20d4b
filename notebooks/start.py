"""The notebook's first step: loads Kedro's catalog, without Kedro's log."""

from __future__ import annotations

import logging

import pandas as pd
import torch
from IPython.core.formatters import PlainTextFormatter
from IPython.core.getipython import get_ipython


def open_project() -> None:
    """Define `catalog` in the notebook, which reads the outputs of the last run, and use that run's settings.

    Raises:
        DatasetError: If no run of all pipelines is committed.
    """
    shell = get_ipython()  # type: ignore[no-untyped-call]
    assert shell is not None, "open_project is for notebooks"
    logging.disable(logging.INFO)
    if "catalog" not in shell.user_ns:  # it is there in Kedro's own kernel, or if the cell runs again
        shell.run_line_magic("load_ext", "kedro.ipython")
    # Kedro's log installs a formatter that adds colours, and an empty output before each table.
    shell.display_formatter.formatters["text/plain"] = PlainTextFormatter(parent=shell.display_formatter)
    catalog = shell.user_ns["catalog"]
    catalog.load("comparison")  # raises an error that names the command to run
    torch.set_num_threads(catalog.load("params:threads"))
    pd.set_option("display.precision", 4)
