"""Where an environment keeps its data and its ledger, and what commands call it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from kedro.config import AbstractConfigLoader, MissingConfigException

from kedro_ledger.errors import InputError
from kedro_ledger.paths import is_relative

DATA: Final = "data"
"""The folder of an environment that names none."""
NO_DATA = ("src", "conf")
"""Folders of a project that hold something else."""


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
    settings: Any = {}
    with suppress(MissingConfigException, KeyError):  # a loader without globals
        settings = config_loader["globals"]
    folder = settings.get("data_folder", DATA) if isinstance(settings, dict) else DATA
    is_folder = isinstance(folder, str) and is_relative(folder) and folder.isprintable()
    if not is_folder or folder.split("/")[0] in NO_DATA or folder.startswith("."):
        raise InputError(
            f"globals.yml: data_folder is {folder!r}; expected a folder in the project, such as data/bikes"
        )
    default = getattr(config_loader, "default_run_env", None)
    return Home(folder, f" --env {env}" if env and env != default else "")
