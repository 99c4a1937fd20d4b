"""What is sent to schedulers and workers as code, since it must run where the project may be missing.

Nothing but Python's standard library may be used here, and Dask.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def call(function: str, *args: Any) -> Any:
    """Call a function in a task.

    The scheduler reads every task: with the function's name, and bytes for what it gets, it needs no project.

    Args:
        function: Its name behind its module's.
        *args: What it gets.

    Returns:
        What it returns.

    Raises:
        ImportError: If it is not there.
    """
    try:
        called = find(function)
    except ImportError as error:
        from distributed import get_worker

        error.add_note(f"on worker {get_worker().address}; expected the project to be installed there")
        raise
    return called(*args)


def try_to_call(function: str, *args: Any) -> tuple[str, Any]:
    """Call a function that may not be there.

    Args:
        function: Its name behind its module's.
        *args: What it gets.

    Returns:
        An empty text and what it returns; or what is wrong, and nothing.
    """
    try:
        return "", find(function)(*args)
    except Exception as error:
        return f"{type(error).__name__}: {error}", None


def find(function: str) -> Callable[..., Any]:
    """Find a function.

    Args:
        function: Its name behind its module's.
    """
    import importlib

    module, _, name = function.rpartition(".")
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found
