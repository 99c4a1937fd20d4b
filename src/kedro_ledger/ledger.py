"""The folder `runs` in that of the data: which runs are committed, and what they wrote.

A run exists once its record does, and an artefact once a record names it. Everything here keeps to one order:
what a record names is on disk before the record is; what is to go is unnamed before it goes.

Records are large, and there may be thousands: each is read only where all of it is needed. For all else there
is `history.jsonl`, with a line for every run ever, which outlives the record. It only grows. A line that is
missing, because a process ended too early, comes from its record until the next run adds it.
"""

from __future__ import annotations

import functools
import json
import logging
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

log = logging.getLogger(__name__)

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
LINE = re.compile(rb'\{"seq":(\d{1,9}),"run_id":"([\w.:-]+)",')
"""How a line of history begins."""
ESCAPED = re.compile(rb"\\u")
"""How JSON escapes a letter."""
MAX_SEARCHED = 20
"""For how many runs it is quicker to search a record for their ids than to parse it."""


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
        self._announced = ""
        self._history = self.folder / "history.jsonl"
        self._pointer = self.folder / "went_back.json"
        self._pruned = self.folder / "pruned.json"

    # --- What there is

    def records(self, newest: int | None = None) -> list[Record]:
        """Read the committed runs but those that were pruned, in the order of their commits.

        Args:
            newest: How many to read; by default all.

        Raises:
            LedgerError: If one of these records is damaged.
        """
        return [*self.newest_first(newest)][::-1]

    def newest_first(self, count: int | None = None) -> Iterator[Record]:
        """Read the committed runs but those that were pruned, the last first, each when it is asked for.

        Raises:
            LedgerError: If a record is damaged.
        """
        for name in self._names()[::-1][:count]:
            with suppress(FileNotFoundError):  # pruned since the folder was listed
                yield self._read(name)

    def list_ids(self) -> list[str]:
        """List the ids of the committed runs but those that were pruned, in the order of their commits."""
        return [_run_id(name) for name in self._names()]

    def last(self) -> Record | None:
        """Read the last committed run, if there is one.

        Raises:
            LedgerError: If its record is damaged.
        """
        recorded = self._names()
        return self._read(recorded[-1]) if recorded else None

    def current(self) -> Record | None:
        """Read the run that readers see: the one that was gone back to, else the last.

        Raises:
            LedgerError: If its record is damaged or gone.
        """
        recorded = self._names()
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
        for name in recorded:
            if _run_id(name) == checkout.run_id:
                return self._read(name)
        raise LedgerError(f"{pointer} names run {checkout.run_id}, which is gone: remove it")

    def history(self, newest: int | None = None, only_kept: bool = False) -> list[Summary]:
        """Read what stays of all runs ever, pruned ones too, in the order of their commits.

        Args:
            newest: Of how many; by default of all.
            only_kept: Whether to leave out pruned ones.

        Raises:
            LedgerError: If the history is damaged, or a record whose line is missing.
        """
        names = self._names()  # first: what is pruned now has its line
        lines = self._read_lines()
        ordered = names if only_kept else sorted({*names, *lines}, key=_place)
        runs = []
        for name in ordered[-newest:] if newest else ordered:
            with suppress(FileNotFoundError):
                runs.append(self._parse(lines[name]) if name in lines else self._read(name).summary())
        return runs

    def count_history(self) -> int:
        """Count all runs ever, pruned ones too.

        Raises:
            LedgerError: If the history is damaged.
        """
        return len({*self._names(), *self._read_lines()})

    def find_twin(self, recipe: str) -> Record | None:
        """Read the last run of a recipe whose record is kept, if there is one; skip damaged records."""
        lines: dict[str, bytes] = {}
        with suppress(LedgerError):  # `complete_history` will say so
            lines = self._read_lines()
        for name in reversed(self._names()):
            if name in lines and recipe.encode() not in lines[name]:
                continue
            try:
                record = self._read(name)
            except LedgerError as error:
                if name in lines:  # of the others, `complete_history` will say so
                    log.warning(error.message)
            else:
                if record.recipe == recipe:
                    return record
        return None

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
        recorded = self._names()
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
        if pruned := [run for run in map(_run_id, self._read_lines()) if name and run.startswith(name)]:
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
        if run_id in self.list_ids():
            raise LedgerError(f"there is a run {run_id} already; expected another id")
        if there := [folder for folder in folders.values() if (self.project / folder).exists()]:
            raise LedgerError(f"{there[0]} is there already, and of no run; expected another run id")
        self._announced = run_id
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
            for name in filter(PART.fullmatch, self._list_folder()):
                if not (part := self.folder / name).is_dir():
                    part.unlink()
            marks = {mark: self._read_mark(mark) for mark in self._marks()}
            versions = {version for marked in marks.values() for version in marked}
            left = self._find_unnamed(versions, self._names())
            removed = remove_versions(self.project, self.home.folder, left, self._is_kept)
            for mark in marks:
                # A worker of a killed run may still be writing: the mark goes when nothing was left any more.
                if mark.stem not in removed:
                    mark.unlink()

    def discard(self, run_id: str) -> None:
        """Remove what a run wrote that was announced here, unless it is committed."""
        mark = self._mark(run_id)
        if run_id == self._announced and mark.exists():
            with self.clear_errors("what the run wrote can't be removed"):
                # No other run's record names it: there was nothing where it lies when it was announced.
                if run_id not in self.list_ids():
                    remove_versions(self.project, self.home.folder, self._read_mark(mark), self._is_kept)
                mark.unlink()

    def complete_history(self) -> None:
        """Add the lines of history that are missing: that of the last run, and others if it was interrupted.

        A warning names damaged records.

        Raises:
            LedgerError: If the history is damaged, or can't be written.
        """
        with self.clear_errors("the next run adds what is missing in it"):
            content = self._read_history()
            lines, torn = self._split(content)
            missing = []
            for name in self._names():
                if name not in lines:
                    try:
                        missing.append(self._read(name).summary())
                    except LedgerError as error:
                        log.warning(error.message)
            if missing:
                whole = content.removesuffix(torn)
                gap = "\n" if whole and not whole.endswith(b"\n") else ""
                text = "".join(f"{run.model_dump_json()}\n" for run in missing)
                files.append(self._history, gap + text, len(whole))

    def prune(self, keep: int) -> list[Record]:
        """Let the oldest runs go, but nothing that a kept one needs.

        Args:
            keep: How many runs stay, beside the one that was gone back to.

        Returns:
            The runs that went; a line of history is left of each.
        """
        names = self._names()
        if not (oldest := names[: -keep or None]):
            return []
        current = self.current()
        gone = [name for name in oldest if not current or _run_id(name) != current.run_id]
        if not gone:
            return []
        records = [self._read(name) for name in gone]
        free = _find_versions(records)
        with suppress(FileNotFoundError):  # of a pruning that was interrupted
            free |= set(self._read_mark(self._pruned))
        free = self._find_unnamed(free, sorted({*names} - {*gone}))
        pruned: dict[str, dict[str, str]] = {}
        for version in sorted(free):
            pruned.setdefault(version.run_id, {})[version.dataset] = version.folder
        with self.clear_errors("the oldest runs can't be removed"):
            self.complete_history()
            lines = self._read_lines()
            for name in gone:
                self._parse(lines[name])  # all that will be left of it
            files.write_at_once(self._pruned, json.dumps(pruned))
            for name in gone:
                (self.folder / name).unlink()
            files.bring_names_to_disk({self.folder})
        with self.clear_errors("what the oldest runs wrote can't be removed"):
            remove_versions(self.project, self.home.folder, free, self._is_kept)
            self._pruned.unlink()
        return records

    def checkout(self, record: Record) -> None:
        """Let readers and partial runs see a run until the next commit."""
        last = self._names()[-1]
        with self.clear_errors("nothing was changed"):
            if self._file(record).name == last:
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
        return [
            self.folder / name
            for name in sorted(self._list_folder())
            if name.endswith(".uncommitted") or name == self._pruned.name
        ]

    def _mark(self, run_id: str) -> Path:
        return self.folder / f"{run_id}.uncommitted"

    def _file(self, record: Record) -> Path:
        return self.folder / _file_name(record.seq, record.run_id)

    def _names(self) -> list[str]:
        """The names of the records' files in the order of their commits; what is damaged is not read."""
        return sorted(filter(RECORD.fullmatch, self._list_folder()), key=_place)

    def _list_folder(self) -> list[str]:
        try:
            return os.listdir(self.folder)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise LedgerError(f"{self.name_of(self.folder)} could not be read: {error.strerror}") from error

    def _read(self, name: str, content: bytes | None = None) -> Record:
        """Read a record, whose file may have been read before."""
        file = self.folder / name
        content = self._read_bytes(file) if content is None else content
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

    def _read_history(self) -> bytes:
        try:
            return self._read_bytes(self._history)
        except FileNotFoundError:
            return b""

    def _read_lines(self) -> dict[str, bytes]:
        """Read the lines of history, by the names of their records' files."""
        return self._split(self._read_history())[0]

    def _split(self, content: bytes) -> tuple[dict[str, bytes], bytes]:
        """Split the history into its lines, and what there is of a line that is torn at the end.

        A process ended in the middle of that; its record is there.
        """
        *whole, torn = content.split(b"\n")
        lines = {self._name_of_record(line): line for line in whole}
        if torn:
            with suppress(LedgerError):
                self._parse(torn)
                lines[self._name_of_record(torn)] = torn  # all but its line break is there
                torn = b""
        if torn and not any(_begins_line(torn, name) for name in self._names() if name not in lines):
            raise self._history_is_damaged()
        return lines, torn

    def _name_of_record(self, line: bytes) -> str:
        if (begin := LINE.match(line)) and line.endswith(b"}"):
            return _file_name(int(begin[1]), begin[2].decode())
        run = self._parse(line)
        return _file_name(run.seq, run.run_id)

    def _parse(self, line: bytes) -> Summary:
        try:
            return Summary.model_validate_json(line)
        except ValidationError as error:
            raise self._history_is_damaged() from error

    def _history_is_damaged(self) -> LedgerError:
        return LedgerError(f"{self.name_of(self._history)} is damaged: restore it from a copy")

    def _find_unnamed(self, versions: set[Version], names: Iterable[str]) -> set[Version]:
        """Find the versions that don't lie where one lies, by whichever way, that these records name.

        Records that hold none of the runs' ids are not parsed, unless they are cut off.
        """
        real = functools.cache(lambda home: os.path.realpath(self.project / home))
        left = versions
        for name in names if versions else ():
            content = self._read_bytes(self.folder / name)
            ids = {version.run_id for version in left}
            if len(ids) <= MAX_SEARCHED and _holds_none(content, ids):
                continue
            named = _find_versions([self._read(name, content)])
            places = {(real(version.home), version.run_id) for version in named if version.run_id in ids}
            left = {version for version in left if (real(version.home), version.run_id) not in places}
        return left

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


def _holds_none(content: bytes, ids: Iterable[str]) -> bool:
    """Whether JSON is not cut off, and holds none of these texts; letters may be escaped in it."""
    is_whole = content.startswith(b"{") and content[-10:].rstrip().endswith(b"}")
    may_be_escaped = b"\\" in content and ESCAPED.search(content)
    return is_whole and not may_be_escaped and not any(run_id.encode() in content for run_id in ids)


def _file_name(seq: int, run_id: str) -> str:
    return f"{seq:06d}_{run_id}.json"


def _begins_line(torn: bytes, name: str) -> bool:
    """Whether a part of a line is of the run that has its record in the file of this name."""
    begin = f'{{"seq":{_seq(name)},"run_id":"{_run_id(name)}",'.encode()
    return torn[: len(begin)] == begin[: len(torn)]


def _place(name: str) -> tuple[int, str]:
    """What a record's file is sorted by."""
    return _seq(name), name


def _seq(name: str) -> int:
    return int(name.partition("_")[0])


def _run_id(name: str) -> str:
    return name.removesuffix(".json").partition("_")[2]
