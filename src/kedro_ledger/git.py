"""Git commands in one folder, independent of the calling environment."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from kedro_ledger.errors import LedgerError


def git(
    folder: Path, *arguments: str, stdin: bytes | None = None, environment: dict[str, str] | None = None
) -> bytes:
    """Run git.

    Args:
        folder: The folder to run it in.
        *arguments: The command and its arguments.
        stdin: The input of the command.
        environment: Additional environment variables. `GIT_*` variables of this process, which a git hook
            sets, are not passed on.

    Returns:
        The output.

    Raises:
        LedgerError: If git fails or is not installed.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    # Reading must not refresh the index, and a checkout must not run hooks.
    options = ["--no-optional-locks"]
    for setting in ("core.quotePath=false", f"core.hooksPath={os.devnull}", f"diff.orderFile={os.devnull}"):
        options += ["-c", setting]
    try:
        ran = subprocess.run(
            ["git", *options, *arguments],
            cwd=folder,
            env=own | {"LC_ALL": "C"} | (environment or {}),  # its messages are parsed
            input=stdin,
            capture_output=True,
        )
    except FileNotFoundError as error:
        raise LedgerError("git is not installed; install git to record or check out code") from error
    if ran.returncode:
        raise LedgerError(f"git {arguments[0]}: {' '.join(ran.stderr.decode(errors='replace').split())}")
    return ran.stdout
