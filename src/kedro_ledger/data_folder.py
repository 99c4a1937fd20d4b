"""The data folder of an environment, and the option that selects the environment."""

from __future__ import annotations

import os
import re
import shlex
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from kedro.config import AbstractConfigLoader, MissingConfigException

from kedro_ledger.errors import InputError
from kedro_ledger.paths import is_relative

DATA: Final = "data"
"""Default data folder."""
_SHARED_FOLDER = re.compile(r"\d\d_.*|runs", re.IGNORECASE)
"""Folders in `data` that are shared by all environments without their own data folder."""


@dataclass(frozen=True)
class DataFolder:
    """The data folder of an environment, and the option that selects the environment."""

    path: str = DATA
    """Folder of the ledger and the data that runs write, relative to the project's folder."""
    option: str = ""
    """The option ` --env NAME` with its leading space; empty for the default environment."""


DEFAULT_DATA_FOLDER: Final = DataFolder()


def find_data_folder(config_loader: AbstractConfigLoader, env: str | None) -> DataFolder:
    """Find an environment's data folder: the global `data_folder`, or `data`.

    Raises:
        InputError: If it is not `data` or an allowed folder in `data`.
    """
    found: Any = {}
    with suppress(MissingConfigException, KeyError):  # KeyError: the loader does not support globals
        found = config_loader["globals"]
    if not isinstance(found, dict):
        raise InputError(f"globals.yml is {found!r}; expected a block, such as data_folder: data/bikes")
    if "data_folder" not in found and (near := get_close_matches("data_folder", map(str, found), n=1)):
        raise InputError(f"globals.yml: {near[0]} is unknown; did you mean data_folder?")
    folder = found.get("data_folder", DATA)
    if not _is_allowed(folder):
        raise InputError(
            f"globals.yml: data_folder is {folder!r}; expected data, or a folder in it that is not named "
            "like a layer, such as data/bikes"
        )
    is_default = env is None or (
        env == getattr(config_loader, "default_run_env", None) and "KEDRO_ENV" not in os.environ
    )
    return DataFolder(folder, "" if is_default else f" --env {shlex.quote(str(env))}")


def _is_allowed(folder: Any) -> bool:
    if not (isinstance(folder, str) and is_relative(folder) and folder.isprintable()):
        return False
    first, *others = folder.split("/")
    return first == DATA and not any(map(_SHARED_FOLDER.fullmatch, others[:1]))
