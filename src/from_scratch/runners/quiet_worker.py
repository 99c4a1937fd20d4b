"""Loaded into workers that the DaskRunner starts: they leave the console to the run's own process."""

from __future__ import annotations

import logging
import os
from typing import Any

from kedro.framework.project import configure_logging


def dask_setup(worker: Any) -> None:
    """Log nothing here, since the run's own process gets all records, and draw no bars.

    Args:
        worker: Dask's worker.
    """
    configure_logging({"version": 1, "disable_existing_loggers": False, "root": {"level": "WARNING"}})
    for logger in map(logging.getLogger, list(logging.root.manager.loggerDict)):
        logger.handlers.clear()
        logger.propagate = True
    os.environ["TQDM_DISABLE"] = "1"
