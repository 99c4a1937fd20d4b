"""Run `python -m MODULE` in a fork of a Python process that has imported the libraries, which saves time.

Kedro and this project are imported after the fork, since their import depends on the current folder. Tests of
the start-up time, and tests that set environment variables, start a new Python process.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

TIMEOUT = 120
"""Seconds after which a command is killed."""


def run(
    module: str, arguments: tuple[str, ...], folder: Path, environment: dict[str, str]
) -> tuple[int, str, str]:
    """Run a module as `__main__`.

    Args:
        module: The module's name.
        arguments: The command-line arguments.
        folder: The working folder.
        environment: All environment variables.

    Returns:
        The exit code, standard output and standard error.
    """
    from tests.support import processes  # must not be imported in the fork

    global _server
    if _server is None or _server.poll() is not None:
        command = [sys.executable, __file__]
        _server = processes.start(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        atexit.register(_end, _server)
    assert _server.stdin
    assert _server.stdout
    with tempfile.TemporaryDirectory() as printed:
        request = [module, arguments, str(folder), environment, printed]
        _server.stdin.write(json.dumps(request) + "\n")
        _server.stdin.flush()
        code = int(_server.stdout.readline())
        stdout, stderr = (Path(printed, name).read_text() for name in ("stdout", "stderr"))
    return code, stdout, stderr


def _end(server: subprocess.Popen[str]) -> None:
    """End the server by closing its input."""
    with server:
        pass


_server: subprocess.Popen[str] | None = None


def _serve() -> None:
    """Fork for each request, and return in the fork."""
    for line in sys.stdin:
        module, arguments, folder, environment, printed = json.loads(line)
        pid = os.fork()
        if pid:
            _, status = os.waitpid(pid, 0)
            print(os.waitstatus_to_exitcode(status), flush=True)
            continue
        signal.alarm(TIMEOUT)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        for descriptor, name in enumerate(("stdout", "stderr"), start=1):
            os.dup2(os.open(Path(printed, name), os.O_WRONLY | os.O_CREAT), descriptor)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.path[0] = folder
        sys.argv = [module, *arguments]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        return


if __name__ == "__main__":
    for (
        library
    ) in "dynaconf fsspec jinja2 omegaconf pandas pyarrow.parquet pydantic safetensors.torch torch".split():
        importlib.import_module(library)
    _serve()
