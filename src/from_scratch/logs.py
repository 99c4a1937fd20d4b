"""Where log lines go."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from kedro.framework.project import configure_logging


def configure(folder: Path, project: Path) -> None:
    """Log as a folder's logging.yml says, if it has one and KEDRO_LOGGING_CONFIG names no other.

    Args:
        folder: `conf`, or an environment's folder in it.
        project: The project's folder, from which the paths of log files are seen.
    """
    file = folder / "logging.yml"
    if "KEDRO_LOGGING_CONFIG" in os.environ or not file.is_file():
        return
    import yaml

    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    for handler in config.get("handlers", {}).values():
        if "filename" in handler:
            path = project / handler["filename"]
            with suppress(OSError):  # what can't be written to a file is still on the console
                path.parent.mkdir(parents=True, exist_ok=True)
            handler["filename"] = str(path)
    configure_logging(config)
