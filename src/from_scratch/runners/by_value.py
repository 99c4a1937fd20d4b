"""What is sent to schedulers and workers as code, since it must run where the project may be missing.

Nothing but Python's standard library may be used here.
"""

from __future__ import annotations

from typing import Any


def call(function: str, *args: Any) -> Any:
    """Call a function of a module that is there.

    The scheduler reads every task: with the function's name, and bytes for what it gets, it needs no project.

    Args:
        function: Its name behind its module's.
        *args: What it gets.

    Returns:
        What it returns.
    """
    import importlib

    module, _, name = function.rpartition(".")
    return getattr(importlib.import_module(module), name)(*args)


def try_to_call(function: str, *args: Any) -> tuple[str, Any]:
    """Call a function that may not be there.

    Args:
        function: Its name behind its module's.
        *args: What it gets.

    Returns:
        An empty text and what it returns; or what is wrong, and nothing.
    """
    try:
        return "", call(function, *args)
    except Exception as error:
        return f"{type(error).__name__}: {error}", None
