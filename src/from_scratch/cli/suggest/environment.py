"""New configuration environment for your own data."""

from __future__ import annotations

import re
from pathlib import Path

from kedro_ledger.errors import InputError

FILES = ("globals.yml", "catalog.yml", "parameters.yml")
RESERVED = ("base", "local", "runs")
"""Names that a new environment cannot have: all environments share base and local; data/runs is a ledger."""
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_-]{0,63}")


def require_new(env: str, conf: Path) -> Path:
    """Return the folder of a new environment; it may contain other files, such as credentials.

    Raises:
        InputError: If the name is invalid, or one of the files exists.
    """
    if not _NAME.fullmatch(env) or env.lower() in RESERVED:
        raise InputError(
            f"--env is {env!r}; expected a letter followed by at most 63 letters, digits, - and _, except "
            f"{', '.join(RESERVED)}"
        )
    for file in FILES:
        if (conf / env / file).exists():
            raise InputError(f"--env is {env!r}, but conf/{env}/{file} exists; expected a new environment")
    return conf / env


def write(files: dict[str, str], folder: Path) -> None:
    """Write the files of an environment."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        with (folder / name).open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
