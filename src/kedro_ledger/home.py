"""Where an environment keeps its data and its ledger, and what commands call it."""

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
"""The folder of an environment that names none."""
_OF_ALL = re.compile(r"\d\d_.*|runs", re.IGNORECASE)
"""Folders in `data` that belong to the environments without a folder of their own."""


@dataclass(frozen=True)
class Home:
    """The folder of an environment, and how a command names the environment."""

    folder: str = DATA
    """For what its runs write, and their ledger: a path seen from the project's folder."""
    option: str = ""
    """` --env NAME`, or nothing."""


DEFAULT_HOME: Final = Home()


def find_home(config_loader: AbstractConfigLoader, env: str | None) -> Home:
    """Find where an environment keeps its data: the global `data_folder`, or `data`.

    Raises:
        InputError: If that is no folder in the project.
    """
    found: Any = {}
    with suppress(MissingConfigException, KeyError):  # a loader without globals
        found = config_loader["globals"]
    if not isinstance(found, dict):
        raise InputError(f"globals.yml is {found!r}; expected a block, such as data_folder: data/bikes")
    if "data_folder" not in found and (near := get_close_matches("data_folder", map(str, found), n=1)):
        raise InputError(f"globals.yml: {near[0]} is unknown; did you mean data_folder?")
    folder = found.get("data_folder", DATA)
    if not _may_be_home(folder):
        raise InputError(
            f"globals.yml: data_folder is {folder!r}; expected data, or a folder in it that no layer is "
            "called, such as data/bikes"
        )
    is_default = env is None or (
        env == getattr(config_loader, "default_run_env", None) and "KEDRO_ENV" not in os.environ
    )
    return Home(folder, "" if is_default else f" --env {shlex.quote(str(env))}")


def _may_be_home(folder: Any) -> bool:
    if not (isinstance(folder, str) and is_relative(folder) and folder.isprintable()):
        return False
    first, *others = folder.split("/")
    return first == DATA and not any(map(_OF_ALL.fullmatch, others[:1]))
