"""A run as a transaction, from the lock to the commit."""

from __future__ import annotations

import atexit
import logging
import shlex
import sys
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import Any

import click
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from kedro_ledger import files, lineage, storage
from kedro_ledger.code import read_code
from kedro_ledger.confirmations import Confirmations
from kedro_ledger.context import ALLOW_MIXED, ReadersCatalog, RunContext
from kedro_ledger.credentials import require_no_credentials
from kedro_ledger.differences import flatten
from kedro_ledger.drift import (
    describe_drift,
    exclude_own,
    find_drift,
    find_last_known,
    find_unmatched_limits,
    find_violations,
)
from kedro_ledger.environment import read_environment
from kedro_ledger.errors import BusyError, DriftError, IrreproducibleError, LedgerError
from kedro_ledger.ledger import Ledger
from kedro_ledger.lineage import unknown
from kedro_ledger.mixed import describe_mixed
from kedro_ledger.plan import digest_raw, make_plan, read_raw
from kedro_ledger.printable import shorten
from kedro_ledger.record import Artefact, Environment, RawInput, Record, Scalar, Unversioned, is_same_run
from kedro_ledger.settings import Settings, matches, read_settings
from kedro_ledger.sources import Sources, combined_hash, find_sources

log = logging.getLogger(__name__)

Hashes = dict[str, tuple[str | None, int | None]]
"""The sha256 and the size in bytes of each output, by dataset; both None if it is not on a local disk."""


class Transaction:
    """A run in progress: it holds the lock, and readers don't see its outputs before the commit."""

    def __init__(
        self,
        context: RunContext,
        run_params: Mapping[str, Any],
        pipeline: Pipeline,
        catalog: DataCatalog,
        sources: Sources,
    ) -> None:
        """Begin a run: take the lock, check the inputs, and announce the outputs.

        Args:
            context: The session's context.
            run_params: The parameters of the run that Kedro passes to hooks.
            pipeline: The pipeline to run.
            catalog: The run's catalog.
            sources: The code when the process began to load it.

        Raises:
            BusyError: If another run is writing, or has just been committed.
            LedgerError: If the catalog contains credentials; if an input was never committed, is missing or
                altered, or was made with other parameters, code or data than the run's; if raw data differs
                from its pinned hash; if the ledger doesn't support a node or dataset; or if the folder can't
                be written.
        """
        self._started = datetime.now(UTC)
        # The catalog of a plugin may have no version.
        self._run_id = str(context.save_version or run_params["run_id"])
        self._run_params, self._catalog, self._sources = run_params, catalog, sources
        self._env, self._command = context.env, _read_command()
        self._catalog_config = context.configuration["catalog"]
        self._parameters = context.configuration["parameters"]
        self._settings = read_settings(self._parameters)
        is_stored_in = partial(storage.is_stored_in, context.project_path, catalog)
        self._ledger = Ledger(context.project_path, is_stored_in, context.data_folder)
        self._before, self._names = context.current_run, context.names
        self._prepared: list[Any] = []
        require_no_credentials(self._catalog_config)
        with ExitStack() as stack:
            stack.enter_context(self._ledger.lock())
            if not is_same_run(self._before, self._ledger.current()):
                raise BusyError("another run has just been committed; nothing was changed. Try again")
            stack.callback(self._finish_raw)
            self._sweep()
            self._last = self._ledger.last()  # fails before the work if the record is damaged
            self._last_known = find_last_known(self._ledger.newest_first())
            project, data = self._ledger.project, storage.list_paths(self._ledger, catalog)
            self._code = read_code(project, find_sources(project), data)
            is_unknown = bool(self._code.unknown)
            self._code_hash = unknown(self._run_id) if is_unknown else combined_hash(self._code.files)
            self._plan = make_plan(
                self._ledger,
                context,
                pipeline,
                catalog,
                run_params,
                self._run_id,
                self._code_hash,
                self._prepared,
            )
            self._require_unmixed()
            self._confirmations = Confirmations(self._plan.nodes, catalog)
            self._log_notes()
            try:
                if outputs := self._plan.outputs:
                    local = {name: output.path for name, output in outputs.items() if output.is_local}
                    folders = {name: path.rpartition("/")[0] for name, path in local.items()}
                    self._ledger.announce(self._run_id, folders)
                storage.read_own_versions(catalog, self._plan.own_datasets, self._run_id)
                if isinstance(catalog, ReadersCatalog):  # of a plugin
                    catalog.absent -= {*self._plan.own_datasets}
            except BaseException:
                self._discard()
                raise
            self._lock = stack.pop_all()

    def commit(self) -> None:
        """End a run that succeeded: sync its outputs to disk, and commit its record.

        Raises:
            IrreproducibleError: If the artefacts differ from those of an earlier run with the same recipe.
            DriftError: If a value moved further from the last run than `runs.drift` allows.
            LedgerError: If the run can't be committed; its outputs are removed.
        """
        with self._lock:
            if not self._plan.outputs:
                self._confirmations.take_effect()
                return
            try:
                with self._ledger.as_ledger_errors("the run is not committed"):
                    record = self._make_record(self._hash_outputs(), self._read_raw_again())
                record = self._find_drift(record)
                limits = self._settings.drift
                violations = find_violations(record.drift, limits.allowed) if record.drift else []
                if violations and not limits.commit:
                    raise DriftError(
                        *violations, f"the run is not committed: {_describe_violations(violations)}"
                    )
                twin = self._ledger.find_twin(record.recipe)
                irreproducible = _find_irreproducible(record, twin, self._settings)
                record = record.model_copy(update={"alarms": [*irreproducible, *violations]})
                self._ledger.commit(record)
            except BaseException:
                self._discard()
                self._report_failure()
                raise
            self._confirmations.take_effect()
            self._finish_raw()
            missing = self._code.patch_left_out or ("" if self._code.commit else "its code is not in git")
            if record.inexact and not missing:
                missing = f"its {' and '.join(record.inexact)} contain values that JSON can't represent"
            hint = f" (it can't be rebuilt: {missing})" if missing else ""
            log.info("committed as run %s%s", self._run_id, hint)
            if large := self._code.not_copied:
                log.info("untracked files above 1 MB are not in the record: %s", shorten(large))
            pruned = self._prune()
        view = self._before.view if self._before else {}
        digests = {name: artefact.digest for name, artefact in record.view.items()}
        is_changed = any(digests.get(name) != artefact.digest for name, artefact in view.items())
        if self._before and is_changed and not any(is_same_run(self._before, run) for run in pruned):
            option = self._ledger.data_folder.option
            log.info("to go back: kedro runs checkout %s%s", self._before.run_id, option)
        if irreproducible:
            raise IrreproducibleError(
                *violations, *(f"{fault}; the run is committed" for fault in irreproducible)
            )
        if violations:
            raise DriftError(*violations, f"the run is committed, but {_describe_violations(violations)}")

    def abort(self, is_exiting: bool = False) -> None:
        """End a run that failed: remove what it wrote.

        Args:
            is_exiting: Whether the process is ending, so that no error message will follow.
        """
        with self._lock:
            self._discard()
        self._report_failure(is_exiting)

    def _report_failure(self, is_exiting: bool = False) -> None:
        """Log the outcome of a run that failed and how to run it again, below its error."""
        if self._run_id in self._ledger.list_ids():
            return
        phrases = [
            "not committed",
            "nothing of this run is kept"
            + (f", and readers still see run {self._before.run_id}" if self._before else ""),
        ]
        if self._plan.unversioned:
            phrases.append(f"not versioned, so possibly overwritten: {shorten([*self._plan.unversioned])}")
        if self._command:
            phrases.append(f"to run it again: {self._command}")
        report = partial(log.warning, "%s", "; ".join(phrases))
        if self._command and not is_exiting:
            atexit.register(report)  # after Kedro and Python have shown the error
        else:
            report()

    def _discard(self) -> None:
        with suppress(LedgerError):  # the next run tries again, and reports an error if it fails
            self._ledger.discard(self._run_id)

    def _finish_raw(self) -> None:
        """Call `finish` on the raw datasets that were prepared for the run, if they have this method."""
        while self._prepared:
            dataset = self._prepared.pop(0)
            try:
                if finish := getattr(dataset, "finish", None):
                    is_committed = not is_same_run(self._ledger.current(), self._before)
                    finish(is_committed)
            except Exception as error:  # a dataset may raise any error, and the run has ended
                log.warning("raw data: %s", error)

    def _log_notes(self) -> None:
        if self._is_other_code(self._sources):
            log.warning(
                "the code has changed since this process loaded it, so the run may use the older code"
            )
        for note in self._plan.notes:
            log.warning("%s", note)
        if not self._plan.nodes:
            log.info("nothing to run: all outputs are up to date")
        elif not self._plan.outputs:
            log.info("no output of this run is versioned, so the run will not be committed")
        by_run: dict[str, list[str]] = {}
        for name, artefact in self._plan.inputs.items():
            by_run.setdefault(artefact.version, []).append(name)
        origins = "; ".join(f"{shorten(names)} from run {run}" for run, names in sorted(by_run.items()))
        if len(by_run) > 1:
            log.warning("this run reads versions from %d runs: %s", len(by_run), origins)
        elif by_run:
            log.info("this run reads %s", origins)

    def _is_other_code(self, sources: Sources) -> bool:
        return sources.without(self._code.left_out).files != self._code.files

    def _require_unmixed(self) -> None:
        # Versions that the user chose need not match the current raw data.
        has_chosen_versions = self._plan.load_versions or not is_same_run(self._before, self._last)
        phrases, advice = describe_mixed(
            self._ledger,
            self._plan,
            self._before,
            {} if has_chosen_versions else self._last_known.raw,
            self._last.unversioned if self._last else {},
            self._names,
            self._parameters,
            self._code,
            self._code_hash,
        )
        if self._settings.allow_mixed:
            for phrase in phrases:
                log.warning("%s", phrase)
        elif phrases:
            raise LedgerError(
                f"{'; '.join(phrases)}. {advice}, or {_advise_to_allow()} to read the inputs as they are"
            )

    def _sweep(self) -> None:
        try:
            self._ledger.sweep()
        except LedgerError as error:  # the remains stay on disk, but no reader sees them
            log.warning(error.message)

    def _prune(self) -> list[Record]:
        try:
            self._ledger.complete_history()
            pruned = self._ledger.prune(self._settings.keep)
        except LedgerError as error:  # the run is committed, and the next one tries again
            log.warning(error.message)
            return []
        if pruned:
            runs = "1 old run" if len(pruned) == 1 else f"{len(pruned)} old runs"
            log.info("removed %s: runs.keep is %d", runs, self._settings.keep)
        return pruned

    def _find_drift(self, record: Record) -> Record:
        """Find what changed since the last run, log it, and add it to the record."""
        last, known = self._last, self._last_known
        for limit in find_unmatched_limits(self._settings.drift.allowed, record, known):
            log.warning("parameter runs.drift.allowed: no recorded value matches %s", limit)
        if not last:
            return record
        drift = find_drift(record, last, known)
        log.info("%s", describe_drift(record, drift, last, known, self._settings.headline))
        return record.model_copy(update={"drift": drift, "last_known": exclude_own(known, record)})

    # --- The record

    def _hash_outputs(self) -> Hashes:
        """Hash all outputs of the run, and sync them to disk."""
        hashes: Hashes = {}
        folders = set()
        for name, output in self._plan.outputs.items():
            hashes[name] = None, None
            if output.is_local:
                path = self._ledger.project / output.path
                if not path.exists():
                    raise LedgerError(f"{name}: {output.path} was not written; the run is not committed")
                hashes[name] = files.hash_and_size(path)
                files.sync(path)
                folders |= {folder for folder in path.parents if folder != folder.parent}
        files.sync_folders(folders)
        return hashes

    def _read_raw_again(self) -> dict[str, RawInput]:
        raw = read_raw(self._ledger, self._plan.raw_paths, self._plan.fetched)
        for name, before in self._plan.raw.items():
            if before.sha256 and raw[name].sha256 != before.sha256:
                raise LedgerError(f"{before.path} changed while the run read it; the run is not committed")
        return raw

    def _make_record(self, hashes: Hashes, raw: dict[str, RawInput]) -> Record:
        plan, environment = self._plan, read_environment()
        configuration = {"parameters": self._parameters, "catalog": self._catalog_config}
        plain = {name: lineage.make_plain(value) for name, value in configuration.items()}
        made_from = self._trace(hashes, raw)
        outputs = {
            name: Artefact(
                version=self._run_id,
                path=plan.outputs[name].path,
                sha256=digest,
                bytes=size,
                made_from=made_from[name],
            )
            for name, (digest, size) in hashes.items()
        }
        inherited, outdated = self._inherit(outputs)
        return Record(
            seq=self._last.seq + 1 if self._last else 1,
            run_id=self._run_id,
            started=self._started.isoformat(timespec="milliseconds"),
            finished=datetime.now(UTC).isoformat(timespec="milliseconds"),
            command=self._command,
            env=self._env,
            pipelines=self._run_params.get("pipeline_names")
            or [self._run_params.get("pipeline_name") or "__default__"],
            runner=_name_runner(self._run_params.get("runner")),
            nodes=[node.name for node in plan.nodes],
            **plain,
            inexact=[name for name in plain if repr(plain[name]) != repr(configuration[name])],
            raw=raw,
            inputs={name: artefact.version for name, artefact in plan.inputs.items()},
            outputs=outputs,
            unversioned=self._list_unversioned(made_from),
            inherited=inherited,
            outdated=outdated,
            code=self._code,
            code_changed_meanwhile=self._is_other_code(self._sources)
            or self._is_other_code(find_sources(self._ledger.project)),
            environment=environment,
            recipe=self._hash_recipe(raw, environment),
            data=self._read_values(self._settings.data),
            metrics=self._read_values(self._settings.metrics),
        )

    def _trace(self, hashed: Hashes, raw: dict[str, RawInput]) -> dict[str, dict[str, str]]:
        """Return for each output the hashes of what it is made from."""
        nodes = self._plan.nodes
        hashes = digest_raw(raw, nodes, self._names, self._run_id)
        hashes |= {name: digest or self._run_id for name, (digest, _) in hashed.items()}
        hashes |= {name: artefact.digest for name, artefact in self._plan.inputs.items()}
        return lineage.trace(nodes, hashes, self._parameters, self._code_hash, self._names)

    def _list_unversioned(self, made_from: dict[str, dict[str, str]]) -> dict[str, Unversioned]:
        """Record the unversioned datasets as runs left them, except those that changed before this run."""
        read = self._plan.raw
        before = {
            name: recorded
            for name, recorded in (self._last.unversioned if self._last else {}).items()
            if name not in read or read[name].sha256 == recorded.sha256
        }
        now = read_raw(self._ledger, self._plan.unversioned, {})
        return before | {
            name: Unversioned(**found.model_dump(), version=self._run_id, made_from=made_from[name])
            for name, found in now.items()
        }

    def _inherit(self, outputs: dict[str, Artefact]) -> tuple[dict[str, Artefact], list[str]]:
        """Find the artefacts of earlier runs that readers still see, and the names of outdated ones."""
        view = self._before.view if self._before else {}
        # Readers see the version chosen with --load-versions, even if the run also writes the dataset.
        now = outputs | self._plan.inputs
        others = {name: artefact for name, artefact in view.items() if name not in now}
        unmatched = lineage.find_unmatched(others, [*now.values(), *self._find_ancestors(now)], now)
        if remade := sorted(storage.list_outputs() & set(unmatched)):
            log.info("outdated by this run, until their pipelines run again: %s", shorten(remade))
        inherited = {name: artefact for name, artefact in others.items() if name not in unmatched}
        before = self._before.outdated if self._before else []
        return inherited | self._plan.inputs, sorted({*before, *unmatched} - now.keys())

    def _find_ancestors(self, artefacts: dict[str, Artefact]) -> list[Artefact]:
        """Find what versions chosen with --load-versions were made from; all others match the view anyway."""
        if not self._plan.load_versions:
            return []
        committed = {
            (name, artefact.digest): artefact
            for record in self._ledger.records()
            for name, artefact in record.artefacts
        }
        found: dict[tuple[str, str], Artefact] = {}
        queue = list(artefacts.values())
        while queue:
            for source in queue.pop().made_from.items():
                if source in committed and source not in found:
                    found[source] = committed[source]
                    queue.append(committed[source])
        return list(found.values())

    def _hash_recipe(self, raw: dict[str, RawInput], environment: Environment) -> str:
        return lineage.hash_value(
            {
                "code": self._code_hash,
                "catalog": self._catalog_config,
                "parameters": {name: value for name, value in self._parameters.items() if name != "runs"},
                "raw": {name: read.sha256 or unknown(self._run_id) for name, read in raw.items()},
                "inputs": {name: artefact.digest for name, artefact in self._plan.inputs.items()},
                "nodes": sorted(node.name for node in self._plan.nodes),
                "environment": environment.model_dump(),
            }
        )

    def _read_values(self, patterns: list[str]) -> dict[str, dict[str, Scalar]]:
        """Return the plain values of the outputs that match a pattern and are dictionaries."""
        values: dict[str, dict[str, Scalar]] = {}
        for name, output in self._plan.outputs.items():
            if any(fnmatch(name, pattern) for pattern in patterns):
                loaded = self._catalog.load(output.dataset)
                if isinstance(loaded, dict):
                    values[name] = {
                        key: value
                        for key, value in flatten(loaded).items()
                        if isinstance(value, bool | int | float | str)
                    }
        return values


def _find_irreproducible(record: Record, twin: Record | None, settings: Settings) -> list[str]:
    """Describe which reproducible outputs differ from those of the last run with the same recipe."""
    if not twin:
        return []
    differing = sorted(
        name
        for name, artefact in record.outputs.items()
        if artefact.sha256 and name in twin.outputs and twin.outputs[name].sha256 != artefact.sha256
        if any(matches(name, pattern) for pattern in settings.reproducible)
    )
    return differing and [
        f"{', '.join(differing)}: different from run {twin.run_id}, although code, parameters, raw data, "
        "packages, platform and threads are the same"
    ]


def _describe_violations(violations: list[str]) -> str:
    values = "1 value" if len(violations) == 1 else f"{len(violations)} values"
    return f"{values} moved further than parameter runs.drift.allowed permits"


def _name_runner(runner: Any) -> str:
    """Return the name of a runner's class from Kedro's run parameters, where the default is "None"."""
    if not isinstance(runner, str):
        return "not one of Kedro's"
    name = runner.partition(" object at ")[0].rpartition(".")[2]
    return "SequentialRunner" if name == "None" else name


def _read_command() -> str | None:
    """Return the command that the user typed, or None if the run was started from Python."""
    if not click.get_current_context(silent=True):
        return None
    program = Path(sys.argv[0])
    is_package = program.name == "__main__.py" and program.parent.name != "kedro"
    return shlex.join([*(["python", "-m", program.parent.name] if is_package else ["kedro"]), *sys.argv[1:]])


def _advise_to_allow() -> str:
    command = click.get_current_context(silent=True)
    if not command:
        return "set parameter runs.allow_mixed"
    return "use --allow-mixed" if ALLOW_MIXED in command.meta else "use --params runs.allow_mixed=true"
