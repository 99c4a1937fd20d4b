"""The folder `runs` in that of the data: which runs are committed, and what they wrote.

A run exists once its record does, and an artefact once a record names it. Everything here keeps to one order:
what a record names is on disk before the record is; what is to go is unnamed before it goes.
"""

from __future__ import annotations

import functools
import json
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import TypeAdapter, ValidationError

from kedro_ledger import files
from kedro_ledger.errors import BusyError, LedgerError
from kedro_ledger.home import DEFAULT_HOME, Home
from kedro_ledger.paths import RECORD, RUN_ID, is_version_folder
from kedro_ledger.record import FORMAT, Artefact, Checkout, Record, Summary
from kedro_ledger.removal import IsKept, Version, remove_versions

LAST = re.compile(r"last(?:~(\d{1,9}))?")
PART = re.compile(
    r"(\d{6,9}_.+\.json|.+\.uncommitted|(pruned|went_back)\.json|history\.jsonl)\.part", re.ASCII
)
MAX_BYTES = 1 << 28
"""Bytes. No file of the ledger is as large."""
Announced = TypeAdapter(dict[str, str])
"""What a run announces: the folder of each dataset's version."""
Pruned = TypeAdapter(dict[str, dict[str, str]])
"""The same, by run, of runs that were pruned."""


class Ledger:
    """The runs of a project, or of an environment that has a folder of its own."""

    def __init__(
        self, project: Path, is_kept: IsKept = lambda dataset, folder: False, home: Home = DEFAULT_HOME
    ) -> None:
        """Opens the ledger in a project's folder; writes nothing.

        Args:
            project: The folder.
            is_kept: Whether the present catalog keeps a dataset in a folder outside that of the data: only
                there versions of it are removed.
            home: Where the data and the ledger are.
        """
        self.project = project
        self.home = home
        self.folder = project / home.folder / "runs"
        self._is_kept = is_kept
        self._history = self.folder / "history.jsonl"
        self._pointer = self.folder / "went_back.json"
        self._pruned = self.folder / "pruned.json"

    # --- What there is

    def records(self) -> list[Record]:
        """Read all committed runs but those that were pruned, in the order of their commits.

        Raises:
            LedgerError: If a record is damaged.
        """
        records = []
        for file in self._files():
            with suppress(FileNotFoundError):  # pruned since the folder was listed
                records.append(self._read(file))
        return records

    def last(self) -> Record | None:
        """Read the last committed run, if there is one.

        Raises:
            LedgerError: If its record is damaged.
        """
        recorded = self._files()
        return self._read(recorded[-1]) if recorded else None

    def current(self) -> Record | None:
        """Read the run that readers see: the one that was gone back to, else the last.

        Raises:
            LedgerError: If its record is damaged or gone.
        """
        recorded = self._files()
        if not recorded:
            return None
        pointer = self.name_of(self._pointer)
        try:
            checkout = Checkout.model_validate_json(self._read_bytes(self._pointer))
        except FileNotFoundError:
            return self._read(recorded[-1])
        except ValidationError as error:
            raise LedgerError(f"{pointer} is damaged: remove it") from error
        if checkout.at_seq != _seq(recorded[-1]):
            return self._read(recorded[-1])
        for file in recorded:
            if _run_id(file) == checkout.run_id:
                return self._read(file)
        raise LedgerError(f"{pointer} names run {checkout.run_id}, which is gone: remove it")

    def history(self) -> list[Summary]:
        """Read what is left of the pruned runs.

        Raises:
            LedgerError: If the history is damaged.
        """
        try:
            lines = self._read_bytes(self._history).splitlines()
            return [Summary.model_validate_json(line) for line in lines]
        except FileNotFoundError:
            return []
        except ValueError as error:
            raise LedgerError(f"{self.name_of(self._history)} is damaged: restore it from a copy") from error

    def list_announced(self) -> set[str]:
        """List the datasets of which there may be versions that no committed run wrote."""
        announced: set[str] = set()
        for mark in self._marks():
            with suppress(FileNotFoundError):  # its run has just ended
                announced |= {version.dataset for version in self._read_mark(mark)}
        return announced

    def find(self, name: str) -> Record:
        """Find a committed run.

        Args:
            name: Its id, the beginning of it, its number, `last`, `last~2` for the second before the last, or
                `current` for the one that readers see.

        Raises:
            LedgerError: If there is none, more than one, or only its line of history.
        """
        recorded = self._files()
        if not recorded:
            raise LedgerError(f"no run is committed yet; `kedro run{self.home.option}` makes one")
        if name == "current" and (current := self.current()):
            return current
        if match := LAST.fullmatch(name):
            back = int(match[1] or 0)
            if back >= len(recorded):
                raise LedgerError(f"there is no run {name}: {len(recorded)} are kept")
            return self._read(recorded[-1 - back])
        begin_so = [file for file in recorded if name and _run_id(file).startswith(name)]
        found = [file for file in begin_so if _run_id(file) == name] or begin_so
        if len(found) != 1:
            found = [file for file in recorded if name == str(_seq(file))] or found
        if len(found) == 1:
            return self._read(found[0])
        if found:
            raise LedgerError(
                f"{name} is the beginning of {len(found)} runs: {', '.join(map(_run_id, found))}"
            )
        if pruned := [run.run_id for run in self.history() if name and run.run_id.startswith(name)]:
            raise LedgerError(f"run {pruned[0]} was pruned: only its line of history is left")
        command = f"kedro runs list{self.home.option}"
        raise LedgerError(f"there is no run {name}; `{command}` shows those that there are")

    def path(self, artefact: Artefact) -> Path:
        """Return where an artefact lies."""
        return self.project / artefact.path

    def name_of(self, path: Path | str) -> str:
        """Return where something lies, seen from the project's folder if it lies there."""
        if "://" in str(path):
            return str(path)
        path = Path(os.path.normpath(path))
        return (path.relative_to(self.project) if path.is_relative_to(self.project) else path).as_posix()

    def check(self, name: str, artefact: Artefact) -> None:
        """Require an artefact that is what it was when its run was committed.

        Raises:
            LedgerError: If it is gone or altered.
        """
        if artefact.sha256 is None:
            return
        version, path = f"{name}: {artefact.path} of run {artefact.version}", self.path(artefact)
        try:
            if path.is_file() and (size := path.stat().st_size) != artefact.bytes:
                raise LedgerError(
                    f"{version} was altered: it has {size:,} bytes, expected {artefact.bytes:,}"
                )
            found, _ = files.hash_and_size(path)
        except FileNotFoundError:
            raise LedgerError(f"{version} is gone") from None
        except OSError as error:
            raise LedgerError(f"{version}: {error}") from error
        if found != artefact.sha256:
            raise LedgerError(
                f"{version} was altered: its sha256 is {found[:12]}…, expected {artefact.sha256[:12]}…"
            )

    def is_whole(self, artefact: Artefact) -> bool:
        """Whether `check` finds no fault with an artefact."""
        try:
            self.check("", artefact)
        except LedgerError:
            return False
        return True

    # --- Changes, each of them under the lock. What the system refuses is a LedgerError.

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be the only one that writes. The kernel frees the lock however the process ends.

        Raises:
            BusyError: If another process or thread holds it.
            LedgerError: If the folder can't be written.
        """
        with self.clear_errors("nothing was changed"):
            if self.folder.is_symlink():
                raise LedgerError(
                    f"{self.name_of(self.folder)} is a link; expected a folder ({self.home.folder} may be a "
                    "link)"
                )
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder / ".lock", thread_local=False)
            try:
                lock.acquire(blocking=False)
            except Timeout:
                raise BusyError(
                    f"another run is writing {self.name_of(self.folder.parent)}; "
                    "nothing was changed, try again when it is done"
                ) from None
        try:
            yield
        finally:
            lock.release()

    def announce(self, run_id: str, folders: dict[str, str]) -> None:
        """Write down what a run is about to write, so that it can be removed if the run never commits.

        Args:
            run_id: The run.
            folders: The versions' folders, seen from the project's, by dataset.

        Raises:
            LedgerError: If it can't be an id, or there is a run or a version of this id already.
        """
        if not RUN_ID.fullmatch(run_id) or LAST.fullmatch(run_id) or run_id in ("current", "inputs"):
            raise LedgerError(f"{run_id} can't be a run's id; expected letters, digits, '.', '-', '_' or ':'")
        if run_id in map(_run_id, self._files()):
            raise LedgerError(f"there is a run {run_id} already; expected another id")
        if there := [folder for folder in folders.values() if (self.project / folder).exists()]:
            raise LedgerError(f"{there[0]} is there already, and of no run; expected another run id")
        with self.clear_errors("nothing was changed"):
            files.write_at_once(self._mark(run_id), json.dumps(folders))

    def commit(self, record: Record) -> None:
        """Make a run exist."""
        with self.clear_errors("the run is not committed"):
            try:
                files.write_at_once(self._file(record), record.to_json() + "\n")
            except OSError:
                self._file(record).unlink(missing_ok=True)  # its name may be there, but would not survive
                raise
        with suppress(OSError):  # the next sweep sees that there is a record
            self._mark(record.run_id).unlink()

    def sweep(self) -> None:
        """Remove what runs left that ended without a commit."""
        with self.clear_errors("what is left of an earlier run can't be removed"):
            for part in self.folder.glob("*.part"):
                if PART.fullmatch(part.name) and not part.is_dir():
                    part.unlink()
            marks = {mark: self._read_mark(mark) for mark in self._marks()}
            removed = self._remove([version for versions in marks.values() for version in versions])
            for mark in marks:
                # A worker of a killed run may still be writing: the mark goes when nothing was left any more.
                if mark.stem not in removed:
                    mark.unlink()

    def discard(self, run_id: str) -> None:
        """Remove what a run wrote that will not be committed."""
        with self.clear_errors("what the run wrote can't be removed"):
            mark = self._mark(run_id)
            if mark.exists():
                self._remove(self._read_mark(mark))
                mark.unlink()

    def prune(self, keep: int) -> list[Record]:
        """Let the oldest runs go, but nothing that a kept one needs.

        Args:
            keep: How many runs stay, beside the one that was gone back to.

        Returns:
            The runs that went; a line of history is left of each.
        """
        records, current = self.records(), self.current()
        gone = [run for run in records[: -keep or None] if not current or run.seq != current.seq]
        if not gone:
            return []
        free = _find_versions(gone)
        with suppress(FileNotFoundError):  # of a pruning that was interrupted
            free |= set(self._read_mark(self._pruned))
        free = self._leave_out(free, _find_versions(run for run in records if run not in gone))
        pruned: dict[str, dict[str, str]] = {}
        for version in sorted(free):
            pruned.setdefault(version.run_id, {})[version.dataset] = version.folder
        with self.clear_errors("the oldest runs can't be removed"):
            runs = self.history()
            known = {run.run_id for run in runs}  # of some, the process ended before their record went
            runs += [record.summary() for record in gone if record.run_id not in known]
            files.write_at_once(self._history, "".join(f"{run.model_dump_json()}\n" for run in runs))
            files.write_at_once(self._pruned, json.dumps(pruned))
            for record in gone:
                self._file(record).unlink()
            files.bring_names_to_disk({self.folder})
        with self.clear_errors("what the oldest runs wrote can't be removed"):
            remove_versions(self.project, self.home.folder, free, self._is_kept)
            self._pruned.unlink()
        return gone

    def checkout(self, record: Record) -> None:
        """Let readers and partial runs see a run until the next commit."""
        last = self._files()[-1]
        with self.clear_errors("nothing was changed"):
            if self._file(record) == last:
                self._pointer.unlink(missing_ok=True)
            else:
                checkout = Checkout(run_id=record.run_id, at_seq=_seq(last))
                files.write_at_once(self._pointer, checkout.model_dump_json())

    @contextmanager
    def clear_errors(self, consequence: str) -> Iterator[None]:
        """Raise a `LedgerError` of one line in the place of an `OSError`."""
        try:
            yield
        except OSError as error:
            where = self.name_of(error.filename or self.folder)
            raise LedgerError(f"{where}: {error.strerror or error}; {consequence}") from error

    # --- How it is kept

    def _marks(self) -> list[Path]:
        """The files that say what may lie there without a record."""
        return sorted([*self.folder.glob("*.uncommitted"), *self.folder.glob(self._pruned.name)])

    def _mark(self, run_id: str) -> Path:
        return self.folder / f"{run_id}.uncommitted"

    def _file(self, record: Record) -> Path:
        return self.folder / f"{record.seq:06d}_{record.run_id}.json"

    def _files(self) -> list[Path]:
        """The records' files in the order of their commits; what is damaged is not read."""
        files = (file for file in self.folder.glob("*.json") if RECORD.fullmatch(file.name))
        return sorted(files, key=lambda file: (_seq(file), file.name))

    def _read(self, file: Path) -> Record:
        content = self._read_bytes(file)
        try:
            record = Record.model_validate_json(content)
        except ValidationError as error:
            with suppress(ValueError, TypeError, KeyError, RecursionError):
                if (found := json.loads(content)["format"]) > FORMAT:
                    raise LedgerError(
                        f"{self.name_of(file)} has format {found}, expected at most {FORMAT}: "
                        "it was written by another version of this code"
                    ) from error
            raise LedgerError(
                f"{self.name_of(file)} is damaged: restore it from a copy, "
                "or move it away, and its run counts as never committed"
            ) from error
        for name, artefact in record.artefacts:
            if artefact.path.startswith("/") and self.name_of(artefact.path) != artefact.path:
                raise LedgerError(
                    f"{self.name_of(file)} is damaged: {name} lies in the project, by an absolute path"
                )
        if self._file(record) != file:
            raise LedgerError(
                f"{self.name_of(file)} holds run {record.run_id}, no. {record.seq}: restore its name"
            )
        return record

    def _read_bytes(self, file: Path) -> bytes:
        """Read a file of the ledger, which is no link, no pipe that nobody writes to, and not endless."""
        try:
            status = file.lstat()
            if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
                raise LedgerError(
                    f"{self.name_of(file)} is not a regular file of at most {MAX_BYTES:,} bytes"
                )
            return file.read_bytes()
        except FileNotFoundError:
            raise
        except OSError as error:
            raise LedgerError(f"{self.name_of(file)} could not be read: {error.strerror}") from error

    def _remove(self, versions: Iterable[Version]) -> set[str]:
        """Remove versions, but none that a record names; return the runs of which there was something."""
        if not (left := {*versions}):
            return set()
        left = self._leave_out(left, _find_versions(self.records()))
        return remove_versions(self.project, self.home.folder, left, self._is_kept)

    def _leave_out(self, versions: set[Version], named: set[Version]) -> set[Version]:
        """Leave out versions that lie where one of the others does, by whichever way."""
        real = functools.cache(lambda home: os.path.realpath(self.project / home))
        places = {(real(version.home), version.run_id) for version in named}
        return {version for version in versions if (real(version.home), version.run_id) not in places}

    def _read_mark(self, mark: Path) -> list[Version]:
        content = self._read_bytes(mark)
        try:
            if mark == self._pruned:
                folders = Pruned.validate_json(content, strict=True)
            else:
                folders = {mark.stem: Announced.validate_json(content, strict=True)}
        except ValidationError as error:
            raise LedgerError(f"{self.name_of(mark)} is damaged: remove it") from error
        versions = [
            Version(run_id, dataset, folder)
            for run_id, announced in folders.items()
            for dataset, folder in announced.items()
        ]
        for run_id, dataset, folder in versions:
            if not is_version_folder(folder, run_id) or self.name_of(folder) != folder:
                raise LedgerError(
                    f"{self.name_of(mark)} is damaged: it has {folder!r} for {dataset}, "
                    f"expected a folder of version {run_id}; remove it"
                )
        return versions


def _find_versions(records: Iterable[Record]) -> set[Version]:
    """The versions on local disks that these records name."""
    return {
        Version(artefact.version, name, artefact.folder)
        for record in records
        for name, artefact in record.artefacts
        if artefact.sha256
    }


def _seq(file: Path) -> int:
    return int(file.name.partition("_")[0])


def _run_id(file: Path) -> str:
    return file.stem.partition("_")[2]
