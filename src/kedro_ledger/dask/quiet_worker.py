"""Loaded into workers that the DaskRunner starts: they leave the console to the run's own process."""

from __future__ import annotations

import logging
import os
import signal
from typing import Any

from kedro.framework.project import configure_logging


def dask_setup(worker: Any) -> None:
    """Log nothing here, since the run's own process gets all records, and draw no bars.

    Args:
        worker: Dask's worker.
    """
    nowhere = {"nowhere": {"class": "logging.NullHandler"}}
    root = {"level": "WARNING", "handlers": ["nowhere"]}
    configure_logging({"version": 1, "disable_existing_loggers": False, "handlers": nowhere, "root": root})
    for logger in map(logging.getLogger, list(logging.root.manager.loggerDict)):
        logger.handlers.clear()
        logger.propagate = True
    os.environ["TQDM_DISABLE"] = "1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the run's process, which ends its workers
