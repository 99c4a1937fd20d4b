"""git, asked about one folder, whoever calls."""

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
        folder: Where.
        *arguments: The command and its arguments.
        stdin: What it reads.
        environment: Variables for it. Those of a git that calls us, from a hook, aren't passed on.

    Returns:
        What it prints.

    Raises:
        LedgerError: If it fails or is not installed.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    # Looking must not refresh the index, and checking out must not start anything.
    options = ["--no-optional-locks"]
    for setting in ("core.quotePath=false", f"core.hooksPath={os.devnull}", f"diff.orderFile={os.devnull}"):
        options += ["-c", setting]
    try:
        ran = subprocess.run(
            ["git", *options, *arguments],
            cwd=folder,
            env=own | {"LC_ALL": "C"} | (environment or {}),  # its messages are read here
            input=stdin,
            capture_output=True,
        )
    except FileNotFoundError as error:
        raise LedgerError("git is not installed; expected it, to find or check out code") from error
    if ran.returncode:
        raise LedgerError(f"git {arguments[0]}: {' '.join(ran.stderr.decode(errors='replace').split())}")
    return ran.stdout
