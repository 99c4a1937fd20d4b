"""A small Kedro project with the ledger and without PyTorch, and processes that run or read it.

The processes are forked from a server that has loaded Kedro, so that a run takes a fraction of a second.
"""

from __future__ import annotations

import functools
import json
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from kedro.framework.cli.cli import KedroCLI
from kedro.framework.project import configure_logging, configure_project, settings
from kedro.framework.session import KedroServiceSession

from kedro_ledger.errors import LedgerError
from kedro_ledger.ledger import Ledger
from kedro_ledger.processes import end_with_parent
from kedro_ledger.record import Record
from tests.support.processes import kill, start

FILES = {
    ".telemetry": "consent: false\n",
    ".gitignore": "/data/\n/conf/local/\n__pycache__/\n*.log\n",
    "pyproject.toml": """
[tool.kedro]
package_name = "tiny"
project_name = "tiny"
kedro_init_version = "1.7.0"
""",
    "conf/local/.gitkeep": "",
    "conf/base/parameters.yml": "factor: 2\nruns: {keep: 2, headline: total}\n",
    "conf/base/catalog.yml": """
raw: {type: json.JSONDataset, filepath: data/01_raw/raw.json}
numbers: {type: json.JSONDataset, filepath: data/02_numbers/numbers.json, versioned: true}
"scaled.{part}": {type: json.JSONDataset, filepath: "data/03_scaled/{part}.json", versioned: true}
total.metrics: {type: json.JSONDataset, filepath: data/04_total/total.json, versioned: true}
""",
    "conf/logging.yml": """
version: 1
disable_existing_loggers: false
formatters: {plain: {format: "%(message)s"}}
handlers: {console: {class: logging.StreamHandler, formatter: plain}}
root: {level: WARNING, handlers: [console]}
loggers: {kedro: {level: ERROR}}
""",
    "src/tiny/__init__.py": "",
    "src/tiny/settings.py": """
from kedro_ledger.context import RunContext
from kedro_ledger.hooks import RunHooks

HOOKS = (RunHooks(),)
CONTEXT_CLASS = RunContext
""",
    "src/tiny/pipeline_registry.py": """
import os
import time
from pathlib import Path

from kedro.pipeline import Pipeline, node


def parse(raw):
    return raw


def scale(numbers, factor):
    gate = Path("data/gate")
    if gate.exists():
        Path("data/waiting").touch()
    while gate.exists():
        time.sleep(0.01)
    return [number * factor for number in numbers]


def negate(numbers):
    return [-number for number in numbers]


def total(up, down):
    if os.environ.get("TINY_VARIES"):
        return {"total": sum(up), "noise": os.getpid()}
    return {"total": sum(up), "rest": sum(up) + sum(down)}


def register_pipelines():
    nodes = [
        node(parse, "raw", "numbers", name="parse"),
        node(scale, ["numbers", "params:factor"], "in_memory", name="scale"),
        node(list, "in_memory", "scaled.up", name="keep"),
        node(negate, "scaled.up", "scaled.down", name="negate"),
        node(total, ["scaled.up", "scaled.down"], "total.metrics", name="total"),
    ]
    return {"__default__": Pipeline(nodes), "scaling": Pipeline(nodes[1:4]), "totals": Pipeline(nodes[4:])}
""",
}
NAMES = ("numbers", "scaled.up", "scaled.down", "total.metrics")
ALLOW_MIXED = {"runtime_params": {"runs": {"allow_mixed": True}}}
TOTALS = {"pipeline_names": ["totals"]}
STEPS = ("fsync", "ftruncate", "replace", "rename", "unlink", "rmdir")


@dataclass(frozen=True)
class Tiny:
    """The small project in a folder."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> Tiny:
        """Write the project, with the numbers 1 and 2 as raw data."""
        for name, content in FILES.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content)
        tiny = cls(folder)
        tiny.feed([1, 2])
        return tiny

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.folder)

    def feed(self, numbers: Sequence[float]) -> None:
        """Change the raw data."""
        file = self.folder / "data" / "01_raw" / "raw.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(numbers))

    def run(self, **options: Any) -> Record:
        """Run in a separate process, and return the last committed run."""
        code, message = self.try_to_run(**options)
        assert code == 0, (code, message)
        last = self.ledger.last()
        assert last
        return last

    def try_to_run(self, **options: Any) -> tuple[int, str]:
        """Run in a separate process, and return its exit code and its error."""
        with tempfile.NamedTemporaryFile("r") as message:
            code = in_process(run, self.folder, options, message.name)
            return code, message.read()

    def read(self, names: Sequence[str] = NAMES) -> dict[str, Any]:
        """Load the datasets that readers see, in a separate process."""
        with tempfile.NamedTemporaryFile("r") as answer:
            assert in_process(read, self.folder, answer.name, names) == 0
            contents: dict[str, Any] = json.load(answer)
        return contents

    def kedro(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a `kedro` command as a user does, but without the time that Python takes to start."""
        with tempfile.NamedTemporaryFile("r") as output, tempfile.NamedTemporaryFile("r") as errors:
            code = in_process(command, self.folder, arguments, environment, output.name, errors.name)
            return subprocess.CompletedProcess(arguments, code, output.read(), errors.read())

    @contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Start a `kedro run` that waits in a node until `go_on` is called or the context ends."""
        (self.folder / "data" / "gate").touch()
        command = [sys.executable, "-m", "kedro", "run", *arguments]
        process = start(command, cwd=self.folder, stderr=subprocess.PIPE, text=True)
        waiting = self.folder / "data" / "waiting"
        try:
            while not waiting.exists():
                assert process.poll() is None, process.communicate()[1]
                time.sleep(0.01)
            yield process
        finally:
            self.go_on()
            waiting.unlink(missing_ok=True)
            kill(process.pid)
            process.communicate()

    def go_on(self) -> None:
        """Let the waiting node continue."""
        (self.folder / "data" / "gate").unlink(missing_ok=True)

    def versions(self) -> set[str]:
        """Return the folders of all versions on disk."""
        files = (self.folder / "data").rglob("*.json/*/*.json")
        return {file.parent.relative_to(self.folder).as_posix() for file in files}

    def expect_whole(self) -> None:
        """Require that readers see one complete run, that all hashes match, and that runs succeed again."""
        self.expect_one_whole_run()
        # The next run removes the remains of a killed run, and the run after that removes its announcement.
        assert in_process(run_all, self.folder, [{}, TOTALS, {}, TOTALS]) == 0
        self.expect_one_whole_run()
        named = {artefact.path for record in self.ledger.records() for _, artefact in record.artefacts}
        assert self.versions() == {path.rpartition("/")[0] for path in named}, "nothing unnamed is left"
        assert not list(self.ledger.folder.glob("*.uncommitted"))
        assert not list(self.ledger.folder.glob("*.part"))

    def expect_one_whole_run(self) -> None:
        for record in self.ledger.records():
            for name, artefact in record.artefacts:
                self.ledger.require_intact(name, artefact)
        seen = self.read()
        numbers, up, down = seen["numbers"], seen["scaled.up"], seen["scaled.down"]
        assert [number * up[0] // numbers[0] for number in numbers] == up
        assert down == [-number for number in up]
        assert seen["total.metrics"] == {"total": sum(up), "rest": 0}


# --- In separate processes


def in_process(target: Callable[..., None], *arguments: Any) -> int:
    """Run a function of this module in a separate process, and return its exit code."""
    if _is_server:
        return _fork(target, *arguments)
    return server().submit(_fork, target, *arguments).result(120)


@functools.cache
def server() -> ProcessPoolExecutor:
    """Start two processes that have loaded Kedro, from which others are forked."""
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(2, mp_context=context, initializer=_prepare_server)


_is_server = False


def _prepare_server() -> None:
    """Load all modules that a run needs, by running once."""
    global _is_server
    _is_server = True
    end_with_parent()
    with tempfile.TemporaryDirectory() as folder:
        run_all(Tiny.make(Path(folder).resolve()).folder, [{}])
        os.chdir("/")


def _fork(target: Callable[..., None], *arguments: Any) -> int:
    child = os.fork()
    if not child:
        try:
            end_with_parent()
            target(*arguments)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def run(folder: Path, options: dict[str, Any], message: str | None = None) -> None:
    """Run the pipeline as `kedro run` does."""
    enter(folder)
    try:
        with KedroServiceSession.create(project_path=folder) as session:
            session.run(**options)
    except Exception as error:
        if message:
            Path(message).write_text(error.message if isinstance(error, LedgerError) else str(error))
        os._exit(error.exit_code if isinstance(error, LedgerError) else 2)
    os._exit(0)


def command(folder: Path, arguments: Sequence[str], environment: dict[str, str], *streams: str) -> None:
    """Run a `kedro` command whose output and errors go to files."""
    for descriptor, file in enumerate(streams, start=1):
        os.dup2(os.open(file, os.O_WRONLY), descriptor)
    os.environ |= environment
    enter(folder)
    logging.disable(logging.NOTSET)
    logging.getLogger("kedro_ledger.tracebacks").handlers.clear()  # these write to the folder of pytest
    configure_logging(yaml.safe_load((folder / "conf/logging.yml").read_text()))
    sys.argv = ["kedro", *arguments]
    try:
        KedroCLI(folder).main()
    except SystemExit as end:
        sys.stdout.flush()
        os._exit(end.code if isinstance(end.code, int) else int(end.code is not None))


def run_all(folder: Path, runs: list[dict[str, Any]]) -> None:
    """Run several times."""
    enter(folder)
    for options in runs:
        with KedroServiceSession.create(project_path=folder) as session:
            session.run(**options)


def run_when_told(folder: Path, signal_file: str, message: str) -> None:
    """Run as soon as a file appears."""
    while not Path(signal_file).exists():
        pass
    run(folder, {}, message)


def run_until(folder: Path, step: int, action: str, message: str) -> None:
    """Run, but be killed or terminated, or find the disk full, before a given step of writing."""
    count = 0

    def watch(function: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any, **keywords: Any) -> Any:
            nonlocal count
            count += 1
            if count == step:
                _end(action)
            return function(*arguments, **keywords)

        return watched

    for name in STEPS:
        setattr(os, name, watch(getattr(os, name)))
    if action == "count":
        _exit, count = os._exit, 0
        os._exit = lambda code: _exit(count)  # type: ignore[assignment]
    try:
        run(folder, {}, message)
    except SystemExit as end:
        for hooks in settings.HOOKS:
            hooks._undo_at_exit()  # a forked process doesn't call exit handlers
        os._exit(int(end.code or 0))


def read(folder: Path, answer: str, names: Sequence[str]) -> None:
    """Load everything as a notebook does."""
    enter(folder)
    with KedroServiceSession.create(project_path=folder) as session:
        assert isinstance(session, KedroServiceSession)
        catalog = session.load_context().catalog
        contents = {name: catalog.load(name) for name in names if catalog.exists(name)}
    Path(answer).write_text(json.dumps(contents))


def enter(folder: Path) -> None:
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")  # Kedro's warnings about its own code
    os.chdir(folder)
    project = tomllib.loads((folder / "pyproject.toml").read_text())["tool"]["kedro"]
    sys.path.insert(0, str(folder / project.get("source_dir", "src")))
    for name in [name for name in sys.modules if name.partition(".")[0] == "tiny"]:
        del sys.modules[name]  # it belongs to another copy of the project
    configure_project("tiny")


def _end(action: str) -> None:
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if action == "terminate":
        os.kill(os.getpid(), signal.SIGTERM)
    if action == "fill":
        raise OSError(28, os.strerror(28))
