"""The folder `runs` in the data folder: which runs are committed, and what they wrote.

A run exists once its record does, and an artefact exists once a record names it. All writes keep one order:
artefacts reach the disk before the record that names them, and the last record that names an artefact is
removed before it.

Records are large, and there may be thousands, so a record is read only where all of it is needed. Everything
else comes from `history.jsonl`, which has one line for each run and only grows: a line outlives its record.
If a process ended before it wrote its line, the line is derived from the record until the next run adds it.
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
from kedro_ledger.data_folder import DEFAULT_DATA_FOLDER, DataFolder
from kedro_ledger.errors import BusyError, LedgerError
from kedro_ledger.paths import RECORD, RUN_ID, is_version_folder
from kedro_ledger.record import FORMAT, Artefact, Checkout, Record, Summary
from kedro_ledger.removal import IsStoredIn, Version, remove_versions

log = logging.getLogger(__name__)

LAST_RUN = re.compile(r"last(?:~(\d{1,9}))?")
PARTIAL_FILE = re.compile(
    r"(\d{6,9}_.+\.json|.+\.uncommitted|(pruned|went_back)\.json|history\.jsonl)\.part", re.ASCII
)
MAX_BYTES = 1 << 28
"""Maximum size of a file of the ledger, in bytes."""
Announced = TypeAdapter(dict[str, str])
"""Announcement of a run: the folder of each version that it will write, by dataset."""
Pruned = TypeAdapter(dict[str, dict[str, str]])
"""Folders of versions whose runs were pruned, by run and dataset."""
LINE_START = re.compile(rb'\{"seq":(\d{1,9}),"run_id":"([\w.:-]+)",')
"""Start of a line of the history."""
ESCAPE = re.compile(rb"\\u")
"""Start of an escaped character in JSON."""
MAX_SEARCHED_IDS = 20
"""Maximum number of runs for which searching a record for their ids is faster than parsing it."""


class Ledger:
    """The runs of a project, or of an environment with its own data folder."""

    def __init__(
        self,
        project: Path,
        is_stored_in: IsStoredIn = lambda dataset, folder: False,
        data_folder: DataFolder = DEFAULT_DATA_FOLDER,
    ) -> None:
        """Open the ledger of a project, without writing anything.

        Args:
            project: The project's folder.
            is_stored_in: Returns whether the current catalog stores a dataset in a folder. Outside the data
                folder, versions are removed only from such folders.
            data_folder: The folder of the ledger and its data.
        """
        self.project = project
        self.data_folder = data_folder
        self.folder = project / data_folder.path / "runs"
        self._is_stored_in = is_stored_in
        self._announced = ""
        self._history = self.folder / "history.jsonl"
        self._pointer = self.folder / "went_back.json"
        self._pruned = self.folder / "pruned.json"

    # --- Reading

    def records(self, newest: int | None = None) -> list[Record]:
        """Read the committed runs, except pruned ones, in the order of their commits.

        Args:
            newest: The number of runs to read, counted from the last; by default all.

        Raises:
            LedgerError: If one of these records is damaged.
        """
        return [*self.newest_first(newest)][::-1]

    def newest_first(self, count: int | None = None) -> Iterator[Record]:
        """Read the committed runs lazily, except pruned ones, from the last to the first.

        Raises:
            LedgerError: If a record is damaged.
        """
        for name in self._names()[::-1][:count]:
            with suppress(FileNotFoundError):  # pruned since the folder was listed
                yield self._read(name)

    def list_ids(self) -> list[str]:
        """List the ids of the committed runs, except pruned ones, in the order of their commits."""
        return [_run_id(name) for name in self._names()]

    def last(self) -> Record | None:
        """Read the last committed run, or return None if no run is committed.

        Raises:
            LedgerError: If its record is damaged.
        """
        recorded = self._names()
        return self._read(recorded[-1]) if recorded else None

    def current(self) -> Record | None:
        """Read the run that readers see: the one that was checked out, otherwise the last.

        Raises:
            LedgerError: If its record is damaged or missing.
        """
        recorded = self._names()
        if not recorded:
            return None
        pointer = self.relative_path(self._pointer)
        try:
            checkout = Checkout.model_validate_json(self._read_bytes(self._pointer))
        except FileNotFoundError:
            return self._read(recorded[-1])
        except ValidationError as error:
            raise LedgerError(f"{pointer} is damaged; remove it") from error
        if checkout.at_seq != _seq(recorded[-1]):
            return self._read(recorded[-1])
        for name in recorded:
            if _run_id(name) == checkout.run_id:
                return self._read(name)
        raise LedgerError(f"{pointer} names run {checkout.run_id}, which does not exist; remove this file")

    def history(self, newest: int | None = None, only_kept: bool = False) -> list[Summary]:
        """Read the summaries of all runs, including pruned ones, in the order of their commits.

        Args:
            newest: The number of runs to read, counted from the last; by default all.
            only_kept: Whether to leave out pruned runs.

        Raises:
            LedgerError: If the history is damaged, or the record of a run that it lacks.
        """
        names = self._names()  # before the history, which has a line for each run that is pruned in between
        lines = self._read_lines()
        ordered = names if only_kept else sorted({*names, *lines}, key=_sort_key)
        runs = []
        for name in ordered[-newest:] if newest else ordered:
            with suppress(FileNotFoundError):
                runs.append(self._parse(lines[name]) if name in lines else self._read(name).summary())
        return runs

    def count_history(self) -> int:
        """Count all runs, including pruned ones.

        Raises:
            LedgerError: If the history is damaged.
        """
        return len({*self._names(), *self._read_lines()})

    def find_twin(self, recipe: str) -> Record | None:
        """Return the last run with this recipe whose record is kept and readable, or None."""
        lines: dict[str, bytes] = {}
        with suppress(LedgerError):  # `complete_history` reports it
            lines = self._read_lines()
        for name in reversed(self._names()):
            if name in lines and recipe.encode() not in lines[name]:
                continue
            try:
                record = self._read(name)
            except LedgerError as error:
                if name in lines:  # `complete_history` reports the others
                    log.warning(error.message)
            else:
                if record.recipe == recipe:
                    return record
        return None

    def list_announced_datasets(self) -> set[str]:
        """List the datasets that may have versions which no committed run wrote."""
        announced: set[str] = set()
        for announcement in self._list_announcements():
            with suppress(FileNotFoundError):  # its run has just ended
                announced |= {version.dataset for version in self._read_versions(announcement)}
        return announced

    def find(self, name: str) -> Record:
        """Find a committed run.

        Args:
            name: Its id, the start of its id, its number, `last`, `last~2` for the second before the last, or
                `current` for the run that readers see.

        Raises:
            LedgerError: If no run or several runs match, or the run was pruned.
        """
        recorded = self._names()
        if not recorded:
            raise LedgerError(
                f"no run is committed yet; run `kedro run{self.data_folder.option}` to create one"
            )
        if name == "current" and (current := self.current()):
            return current
        if match := LAST_RUN.fullmatch(name):
            back = int(match[1] or 0)
            if back >= len(recorded):
                raise LedgerError(f"run {name} does not exist; expected at most last~{len(recorded) - 1}")
            return self._read(recorded[-1 - back])
        found = _match(recorded, name)
        if len(found) == 1:
            return self._read(found[0])
        if found:
            raise LedgerError(
                f"{name} matches {len(found)} runs: {', '.join(map(_run_id, found))}; expected one"
            )
        if pruned := _match(self._read_lines(), name):
            raise LedgerError(f"run {_run_id(pruned[0])} was pruned; only its line in the history is left")
        command = f"kedro runs list{self.data_folder.option}"
        raise LedgerError(f"run {name} does not exist; run `{command}` to list the runs")

    def path(self, artefact: Artefact) -> Path:
        """Return the path of an artefact."""
        return self.project / artefact.path

    def relative_path(self, path: Path | str) -> str:
        """Return a path relative to the project's folder if it is inside, otherwise unchanged, as text."""
        if "://" in str(path):
            return str(path)
        path = Path(os.path.normpath(path))
        return (path.relative_to(self.project) if path.is_relative_to(self.project) else path).as_posix()

    def require_intact(self, name: str, artefact: Artefact) -> None:
        """Require that an artefact is as its run committed it.

        Raises:
            LedgerError: If it is missing or altered.
        """
        if artefact.sha256 is None:
            return
        version, path = f"{name}: {artefact.path} of run {artefact.version}", self.path(artefact)
        try:
            if path.is_file() and (size := path.stat().st_size) != artefact.bytes:
                raise LedgerError(
                    f"{version} was altered: it has {size:,} bytes; expected {artefact.bytes:,}"
                )
            found, _ = files.hash_and_size(path)
        except FileNotFoundError:
            raise LedgerError(f"{version} is missing") from None
        except OSError as error:
            raise LedgerError(f"{version}: {error}") from error
        if found != artefact.sha256:
            raise LedgerError(
                f"{version} was altered: its sha256 is {found[:12]}…; expected {artefact.sha256[:12]}…"
            )

    def is_intact(self, artefact: Artefact) -> bool:
        """Return whether an artefact is as its run committed it."""
        try:
            self.require_intact("", artefact)
        except LedgerError:
            return False
        return True

    # --- Writing, always under the lock. Errors of the operating system are raised as LedgerError.

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the lock for writing. The kernel releases it however the process ends.

        Raises:
            BusyError: If another process or thread holds the lock.
            LedgerError: If the folder can't be written.
        """
        with self.as_ledger_errors("nothing was changed"):
            if self.folder.is_symlink():
                raise LedgerError(
                    f"{self.relative_path(self.folder)} is a link; "
                    f"expected a folder ({self.data_folder.path} may be a link)"
                )
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder / ".lock", thread_local=False)
            try:
                lock.acquire(blocking=False)
            except Timeout:
                raise BusyError(
                    f"another run is writing to {self.relative_path(self.folder.parent)}; "
                    "nothing was changed. Try again when it finishes"
                ) from None
        try:
            yield
        finally:
            lock.release()

    def announce(self, run_id: str, folders: dict[str, str]) -> None:
        """Store which versions a run will write, so that they can be removed if the run never commits.

        Args:
            run_id: The id of the run.
            folders: The folders of the versions, relative to the project's folder, by dataset.

        Raises:
            LedgerError: If the id is not valid, or a run or a version with this id already exists.
        """
        if not RUN_ID.fullmatch(run_id) or LAST_RUN.fullmatch(run_id) or run_id in ("current", "inputs"):
            raise LedgerError(
                f"run id {run_id} is not valid; expected letters, digits, '.', '-', '_' or ':', "
                "and not last, current or inputs"
            )
        if run_id in self.list_ids():
            raise LedgerError(f"run {run_id} already exists; expected a new run id")
        if existing := [folder for folder in folders.values() if (self.project / folder).exists()]:
            raise LedgerError(f"{existing[0]} already exists, and no run wrote it; expected another run id")
        self._announced = run_id
        with self.as_ledger_errors("nothing was changed"):
            files.write_atomically(self._announcement(run_id), json.dumps(folders))

    def commit(self, record: Record) -> None:
        """Commit a run by writing its record."""
        with self.as_ledger_errors("the run is not committed"):
            try:
                files.write_atomically(self._file(record), record.to_json() + "\n")
            except OSError:
                # The file may exist, but might not survive a power cut.
                self._file(record).unlink(missing_ok=True)
                raise
        with suppress(OSError):  # the next sweep finds the record, and removes the announcement
            self._announcement(record.run_id).unlink()

    def sweep(self) -> None:
        """Remove the remains of runs that ended without a commit."""
        with self.as_ledger_errors("the remains of an earlier run could not be removed"):
            for name in filter(PARTIAL_FILE.fullmatch, self._list_folder()):
                if not (part := self.folder / name).is_dir():
                    part.unlink()
            announcements = {file: self._read_versions(file) for file in self._list_announcements()}
            versions = {version for announced in announcements.values() for version in announced}
            removable = self._find_unreferenced(versions, self._names())
            removed = remove_versions(self.project, self.data_folder.path, removable, self._is_stored_in)
            for announcement in announcements:
                # A worker of a killed run may still write: the file stays until nothing is left to remove.
                if announcement.stem not in removed:
                    announcement.unlink()

    def discard(self, run_id: str) -> None:
        """Remove what a run wrote after this object announced it, unless the run is committed."""
        announcement = self._announcement(run_id)
        if run_id == self._announced and announcement.exists():
            with self.as_ledger_errors("the outputs of the run could not be removed"):
                # No record of another run names them: their folders did not exist when the run was announced.
                if run_id not in self.list_ids():
                    remove_versions(
                        self.project,
                        self.data_folder.path,
                        self._read_versions(announcement),
                        self._is_stored_in,
                    )
                announcement.unlink()

    def complete_history(self) -> None:
        """Add the missing lines to the history: the last run's, and others if a run was interrupted here.

        Damaged records are skipped with a warning.

        Raises:
            LedgerError: If the history is damaged, or can't be written.
        """
        with self.as_ledger_errors("the next run adds the missing lines"):
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
        """Remove the oldest runs, and those of their versions that no kept run names.

        Args:
            keep: The number of runs to keep, besides the one that is checked out.

        Returns:
            The removed runs. The line of each in the history stays.
        """
        names = self._names()
        if not (oldest := names[: -keep or None]):
            return []
        current = self.current()
        pruned_names = [name for name in oldest if not current or _run_id(name) != current.run_id]
        if not pruned_names:
            return []
        records = [self._read(name) for name in pruned_names]
        removable = _find_versions(records)
        with suppress(FileNotFoundError):  # from a pruning that was interrupted
            removable |= set(self._read_versions(self._pruned))
        removable = self._find_unreferenced(removable, sorted({*names} - {*pruned_names}))
        pruned: dict[str, dict[str, str]] = {}
        for version in sorted(removable):
            pruned.setdefault(version.run_id, {})[version.dataset] = version.folder
        with self.as_ledger_errors("the oldest runs could not be removed"):
            self.complete_history()
            lines = self._read_lines()
            for name in pruned_names:
                self._parse(lines[name])  # raises if the line that will outlive the record is damaged
            files.write_atomically(self._pruned, json.dumps(pruned))
            for name in pruned_names:
                (self.folder / name).unlink()
            files.sync_folders({self.folder})
        with self.as_ledger_errors("the outputs of the oldest runs could not be removed"):
            remove_versions(self.project, self.data_folder.path, removable, self._is_stored_in)
            self._pruned.unlink()
        return records

    def checkout(self, record: Record) -> None:
        """Make a run the one that readers and partial runs see, until the next commit."""
        last = self._names()[-1]
        with self.as_ledger_errors("nothing was changed"):
            if self._file(record).name == last:
                self._pointer.unlink(missing_ok=True)
            else:
                checkout = Checkout(run_id=record.run_id, at_seq=_seq(last))
                files.write_atomically(self._pointer, checkout.model_dump_json())

    @contextmanager
    def as_ledger_errors(self, consequence: str) -> Iterator[None]:
        """Raise an `OSError` as a `LedgerError` of one line: the path, the reason and this consequence."""
        try:
            yield
        except OSError as error:
            where = self.relative_path(error.filename or self.folder)
            raise LedgerError(f"{where}: {error.strerror or error}; {consequence}") from error

    # --- Files

    def _list_announcements(self) -> list[Path]:
        """List the files that name versions which may be on disk without a record."""
        return [
            self.folder / name
            for name in sorted(self._list_folder())
            if name.endswith(".uncommitted") or name == self._pruned.name
        ]

    def _announcement(self, run_id: str) -> Path:
        return self.folder / f"{run_id}.uncommitted"

    def _file(self, record: Record) -> Path:
        return self.folder / _file_name(record.seq, record.run_id)

    def _names(self) -> list[str]:
        """List the file names of the records in the order of their commits, without reading the files."""
        return sorted(filter(RECORD.fullmatch, self._list_folder()), key=_sort_key)

    def _list_folder(self) -> list[str]:
        try:
            return os.listdir(self.folder)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise LedgerError(
                f"{self.relative_path(self.folder)} could not be read: {error.strerror}"
            ) from error

    def _read(self, name: str, content: bytes | None = None) -> Record:
        """Read a record, from its content if that is given."""
        file = self.folder / name
        content = self._read_bytes(file) if content is None else content
        try:
            record = Record.model_validate_json(content)
        except ValidationError as error:
            with suppress(ValueError, TypeError, KeyError, RecursionError):
                if (found := json.loads(content)["format"]) > FORMAT:
                    raise LedgerError(
                        f"{self.relative_path(file)} has format {found}; expected at most {FORMAT}. "
                        "It was written by a newer version of kedro_ledger"
                    ) from error
            raise LedgerError(
                f"{self.relative_path(file)} is damaged; restore it from a copy, "
                "or move it away so that its run counts as never committed"
            ) from error
        for name, artefact in record.artefacts:
            if artefact.path.startswith("/") and self.relative_path(artefact.path) != artefact.path:
                raise LedgerError(
                    f"{self.relative_path(file)} is damaged: the path of {name} in the project is absolute; "
                    "expected a relative path"
                )
        if self._file(record) != file:
            raise LedgerError(
                f"{self.relative_path(file)} contains run {record.run_id}; "
                f"expected the file name {self._file(record).name}. Rename the file"
            )
        return record

    def _read_bytes(self, file: Path) -> bytes:
        """Read a file of the ledger. Links, pipes and huge files are refused."""
        try:
            status = file.lstat()
            if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
                raise LedgerError(
                    f"{self.relative_path(file)} is not a regular file of at most {MAX_BYTES:,} bytes"
                )
            return file.read_bytes()
        except FileNotFoundError:
            raise
        except OSError as error:
            raise LedgerError(f"{self.relative_path(file)} could not be read: {error.strerror}") from error

    def _read_history(self) -> bytes:
        try:
            return self._read_bytes(self._history)
        except FileNotFoundError:
            return b""

    def _read_lines(self) -> dict[str, bytes]:
        """Read the lines of the history, by the file names of their records."""
        return self._split(self._read_history())[0]

    def _split(self, content: bytes) -> tuple[dict[str, bytes], bytes]:
        """Split the history into its lines and the torn line at its end, if there is one.

        A line is torn if its process ended while writing it. Its record exists; otherwise the history is
        damaged.
        """
        *whole, torn = content.split(b"\n")
        lines = {self._name_of_record(line): line for line in whole}
        if torn:
            with suppress(LedgerError):
                self._parse(torn)
                lines[self._name_of_record(torn)] = torn  # only its line break is missing
                torn = b""
        if torn and not any(_is_start_of_line(torn, name) for name in self._names() if name not in lines):
            raise self._damaged_history()
        return lines, torn

    def _name_of_record(self, line: bytes) -> str:
        if (begin := LINE_START.match(line)) and line.endswith(b"}"):
            return _file_name(int(begin[1]), begin[2].decode())
        run = self._parse(line)
        return _file_name(run.seq, run.run_id)

    def _parse(self, line: bytes) -> Summary:
        try:
            return Summary.model_validate_json(line)
        except ValidationError as error:
            raise self._damaged_history() from error

    def _damaged_history(self) -> LedgerError:
        return LedgerError(f"{self.relative_path(self._history)} is damaged; restore it from a copy")

    def _find_unreferenced(self, versions: set[Version], names: Iterable[str]) -> set[Version]:
        """Find the versions that none of these records names. Paths are compared after resolving links.

        Records that contain none of the runs' ids are not parsed, unless they are cut off.
        """
        real = functools.cache(lambda folder: os.path.realpath(self.project / folder))
        unreferenced = versions
        for name in names if versions else ():
            content = self._read_bytes(self.folder / name)
            ids = {version.run_id for version in unreferenced}
            if len(ids) <= MAX_SEARCHED_IDS and _contains_none(content, ids):
                continue
            named = _find_versions([self._read(name, content)])
            referenced = {
                (real(version.dataset_folder), version.run_id) for version in named if version.run_id in ids
            }
            unreferenced = {
                version
                for version in unreferenced
                if (real(version.dataset_folder), version.run_id) not in referenced
            }
        return unreferenced

    def _read_versions(self, announcement: Path) -> list[Version]:
        content = self._read_bytes(announcement)
        try:
            if announcement == self._pruned:
                folders = Pruned.validate_json(content, strict=True)
            else:
                folders = {announcement.stem: Announced.validate_json(content, strict=True)}
        except ValidationError as error:
            raise LedgerError(f"{self.relative_path(announcement)} is damaged; remove it") from error
        versions = [
            Version(run_id, dataset, folder)
            for run_id, announced in folders.items()
            for dataset, folder in announced.items()
        ]
        for run_id, dataset, folder in versions:
            if not is_version_folder(folder, run_id) or self.relative_path(folder) != folder:
                raise LedgerError(
                    f"{self.relative_path(announcement)} is damaged: the folder of {dataset} is {folder!r}; "
                    f"expected a folder of version {run_id}. Remove this file"
                )
        return versions


def _match(names: Iterable[str], run: str) -> list[str]:
    """Find the records of a run by its id or number, or else of the runs whose ids start like this.

    A number with fewer digits than a year is never the start of an id: the year starts all of them.
    """
    names = list(names)
    by_id = [name for name in names if _run_id(name) == run]
    by_number = [name for name in names if str(_seq(name)) == run]
    is_start = bool(run) and not (run.isdecimal() and len(run) < 4)
    return by_id or by_number or [name for name in names if is_start and _run_id(name).startswith(run)]


def _find_versions(records: Iterable[Record]) -> set[Version]:
    """Find the versions on local disks that these records name."""
    return {
        Version(artefact.version, name, artefact.folder)
        for record in records
        for name, artefact in record.artefacts
        if artefact.sha256
    }


def _contains_none(content: bytes, ids: Iterable[str]) -> bool:
    """Return whether content is complete JSON without escaped characters, and contains none of these ids."""
    is_whole = content.startswith(b"{") and content[-10:].rstrip().endswith(b"}")
    may_be_escaped = b"\\" in content and ESCAPE.search(content)
    return is_whole and not may_be_escaped and not any(run_id.encode() in content for run_id in ids)


def _file_name(seq: int, run_id: str) -> str:
    return f"{seq:06d}_{run_id}.json"


def _is_start_of_line(torn: bytes, name: str) -> bool:
    """Return whether a torn line belongs to the run whose record has this file name."""
    begin = f'{{"seq":{_seq(name)},"run_id":"{_run_id(name)}",'.encode()
    return torn[: len(begin)] == begin[: len(torn)]


def _sort_key(name: str) -> tuple[int, str]:
    """Return the sort key of a record's file name."""
    return _seq(name), name


def _seq(name: str) -> int:
    return int(name.partition("_")[0])


def _run_id(name: str) -> str:
    return name.removesuffix(".json").partition("_")[2]
