"""One run, from the lock to the commit."""

from __future__ import annotations

import logging
import sys
from collections.abc import Collection, Mapping
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import click
from kedro.io import DataCatalog
from kedro.io.core import is_parameter
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from from_scratch.runs import files, lineage, storage
from from_scratch.runs.code import read_code, sum_of_sums, sum_sources
from from_scratch.runs.context import RunContext
from from_scratch.runs.environment import read_environment
from from_scratch.runs.errors import BusyError, IrreproducibleError, LedgerError
from from_scratch.runs.ledger import Ledger
from from_scratch.runs.lineage import base_name
from from_scratch.runs.record import Artefact, Environment, RawInput, Record, Scalar, Settings

log = logging.getLogger(__name__)


class Transaction:
    """A run that has begun: it holds the lock, and what it writes is not there for others yet."""

    def __init__(
        self,
        context: RunContext,
        run_params: Mapping[str, Any],
        pipeline: Pipeline,
        catalog: DataCatalog,
        sources: dict[str, str],
    ) -> None:
        """Begins a run: its inputs are checked, and what it will write is announced.

        Args:
            context: The session's context.
            run_params: What Kedro says of the run.
            pipeline: What is to run.
            catalog: The run's catalog.
            sources: The sums of the code's files when the process began to load them.

        Raises:
            BusyError: If another run is writing, or has just written.
            LedgerError: If an input was never committed, is gone or altered, or the folder can't be written.
        """
        self.run_id: str = run_params["run_id"]
        self._run_params = run_params
        self._catalog = catalog
        self._sources = sources
        self._env = context.env
        self._parameters: dict[str, Any] = context.config_loader["parameters"]
        self._catalog_config: dict[str, Any] = context.catalog_config
        self._settings = Settings.model_validate(self._parameters.get("runs", {}))
        self._started = datetime.now(UTC)
        self._ledger = Ledger(context.project_path)
        with ExitStack() as stack:
            stack.enter_context(self._ledger.lock())
            if context.current_run != self._ledger.current():
                raise BusyError("another run has just been committed; nothing was changed, try again")
            self._view = context.current_run.view if context.current_run else {}
            self._begin(pipeline)
            self._lock = stack.pop_all()

    def _begin(self, pipeline: Pipeline) -> None:
        self._ledger.sweep()
        self._code = read_code(self._ledger.project)
        self._code_sum = sum_of_sums(self._code.files)
        if self._code.files != self._sources:
            log.warning("src was changed since this process loaded it: older code may run than what is there")
        self._places = {
            name: place
            for name in pipeline.datasets()
            if not is_parameter(name) and (place := storage.find_place(self._catalog, name))
        }
        self._versioned = {base_name(name) for name, place in self._places.items() if place.is_versioned}
        self._went_back_to = self._find_load_versions()
        self._raw = self._read_raw(pipeline.inputs())
        self._nodes = self._choose_nodes(pipeline)
        self._inputs = self._check_inputs()
        self._say_what_is_read()

        outputs = sorted({name for node in self._nodes for name in node.outputs} & self._places.keys())
        self._outputs = {base_name(name): name for name in outputs if base_name(name) in self._versioned}
        if unprotected := [name for name in outputs if base_name(name) not in self._versioned]:
            log.warning("not versioned, so overwritten even if the run fails: %s", ", ".join(unprotected))
        if self._outputs:
            folders = [str(Path(self._path(name)).parent) for name in self._outputs if self._is_local(name)]
            self._ledger.announce(self.run_id, folders)
        own = self._outputs.keys() - self._went_back_to.keys()
        reread = sorted(name for name in self._places if base_name(name) in own)
        storage.read_and_write(self._catalog, reread, self.run_id)

    def commit(self) -> None:
        """End a run that went well: bring what it wrote to disk, and make it the last committed run.

        Raises:
            IrreproducibleError: If the artefacts are not those of an earlier run of the same recipe.
            LedgerError: If it can't be committed; then it is as if it had not run.
        """
        with self._lock:
            if not self._outputs:
                log.info("nothing was to be made")
                return
            try:
                with self._ledger.clear_errors("the run is not committed"):
                    record = self._write_record()
                twin = self._find_twin(record)
                self._ledger.commit(record)
            except BaseException:
                self._discard()
                raise
            log.info("committed as run %s", self.run_id)
            self._ledger.prune(self._settings.keep)
        if twin and (differing := _list_differing(record, twin)):
            raise IrreproducibleError(
                f"{', '.join(differing)}: not as in run {twin.run_id}, although code, parameters, raw data, "
                "packages, platform and threads are the same; the run is committed"
            )

    def abort(self) -> None:
        """End a run that failed: remove what it wrote."""
        with self._lock:
            self._discard()

    def _discard(self) -> None:
        with suppress(LedgerError):  # the next run tries again, and says so if it can't
            self._ledger.discard(self.run_id)

    # --- Before

    def _find_load_versions(self) -> dict[str, Artefact]:
        """Find what `--load-versions` asks for."""
        wanted = {
            base_name(name): version for name, version in (self._run_params["load_versions"] or {}).items()
        }
        if not wanted:
            return {}
        committed = {
            (name, artefact.version): artefact
            for record in self._ledger.records()
            for name, artefact in record.artefacts
        }
        for name, version in wanted.items():
            if (name, version) not in committed:
                known = sorted((v for n, v in committed if n == name), reverse=True)
                there_are = f"there are {', '.join(known)}" if known else "there is none"
                raise LedgerError(f"{name}: no committed run has made a version {version}; {there_are}")
        return {name: committed[name, version] for name, version in wanted.items()}

    def _read_raw(self, inputs: Collection[str]) -> dict[str, RawInput]:
        """Sum what no run has made."""
        raw = {}
        for name in sorted(inputs):
            if is_parameter(name) or base_name(name) in self._versioned:
                continue
            place = self._places.get(name)
            if not place or not place.is_local:
                raw[base_name(name)] = RawInput(path=place and place.path, sha256=None, bytes=None)
                continue
            try:
                digest, size = files.measure(Path(place.path))
            except OSError:  # the run itself will say what it makes of that
                digest, size = None, None
            path = self._ledger.name_of(place.path)
            raw[base_name(name)] = RawInput(path=path, sha256=digest, bytes=size)
        return raw

    def _choose_nodes(self, pipeline: Pipeline) -> list[Node]:
        """Choose the nodes that Kedro will run."""
        if not self._run_params["only_missing_outputs"]:
            return list(pipeline.nodes)
        return lineage.find_outdated_nodes(
            pipeline.nodes,
            self._view | self._went_back_to,
            {name: raw.sum for name, raw in self._raw.items()},
            self._parameters,
            self._code_sum,
            self._versioned.__contains__,
        )

    def _check_inputs(self) -> dict[str, Artefact]:
        """Find what the run reads of other runs, and see that it is what it was."""
        made = {base_name(name) for node in self._nodes for name in node.outputs}
        read = {base_name(name) for node in self._nodes for name in node.inputs} & self._versioned
        names = sorted((read - made) | (read & self._went_back_to.keys()))
        there = self._view | self._went_back_to
        if missing := [name for name in names if name not in there]:
            raise LedgerError(
                f"{', '.join(missing)}: not made yet, or made from what has changed since; "
                "`kedro run` makes everything"
            )
        for name in names:
            self._ledger.check(name, there[name])
        return {name: there[name] for name in names}

    def _say_what_is_read(self) -> None:
        by_run: dict[str, list[str]] = {}
        for name, artefact in self._inputs.items():
            by_run.setdefault(artefact.version, []).append(name)
        said = "; ".join(f"{_shorten(names)} of run {run}" for run, names in sorted(by_run.items()))
        if len(by_run) > 1:
            log.warning("this run reads versions of %d different runs: %s", len(by_run), said)
        elif by_run:
            log.info("this run reads %s", said)

    # --- After

    def _write_record(self) -> Record:
        """Bring all that the run wrote to disk, and write down what it was."""
        raw = self._read_raw([name for name in self._places if base_name(name) in self._raw])
        for name, before in self._raw.items():
            if before.sha256 and raw[name].sha256 != before.sha256:
                raise LedgerError(f"{before.path} changed while the run read it; the run is not committed")
        sums = {name: artefact.sum for name, artefact in self._inputs.items()}
        sums |= {name: one.sum for name, one in raw.items()}
        measured = {name: self._measure(name) for name in self._outputs}
        self._bring_to_disk()
        sums |= {name: digest or self.run_id for name, (digest, _) in measured.items()}
        made_from = lineage.trace(self._nodes, sums | self._sums_read(), self._parameters, self._code_sum)
        wrote = {
            name: Artefact(
                version=self.run_id,
                path=self._path(name),
                sha256=digest,
                bytes=size,
                made_from=made_from[name],
            )
            for name, (digest, size) in measured.items()
        }
        now = wrote | self._inputs
        changed = {
            name: artefact.sum
            for name, artefact in now.items()
            if name not in self._view or self._view[name].sum != artefact.sum
        }
        carried = {name: artefact for name, artefact in self._view.items() if name not in now}
        if unmatched := lineage.find_unmatched(carried, changed):
            log.info("outdated by this run: %s; `kedro run` makes everything anew", _shorten(unmatched))
        carried = {
            name: artefact for name, artefact in carried.items() if name not in unmatched
        } | self._inputs
        environment = read_environment()
        last = self._ledger.last()
        return Record(
            seq=last.seq + 1 if last else 1,
            run_id=self.run_id,
            started=self._started.isoformat(timespec="milliseconds"),
            finished=datetime.now(UTC).isoformat(timespec="milliseconds"),
            command=_read_command(),
            env=self._env,
            pipelines=self._run_params["pipeline_names"] or ["__default__"],
            runner=self._run_params["runner"].partition(" object at ")[0].rpartition(".")[2],
            nodes=[node.name for node in self._nodes],
            parameters=self._parameters,
            catalog=self._catalog_config,
            raw=raw,
            inputs={name: artefact.version for name, artefact in self._inputs.items()},
            wrote=wrote,
            carried=carried,
            code=self._code,
            code_changed_meanwhile=not self._sources == self._code.files == sum_sources(self._ledger.project),
            environment=environment,
            recipe=self._sum_recipe(raw, environment),
            metrics=self._read_metrics(),
        )

    def _sums_read(self) -> dict[str, str]:
        """What nodes read in the place of what this run wrote, since `--load-versions` says so."""
        return {name: artefact.sum for name, artefact in self._went_back_to.items()}

    def _sum_recipe(self, raw: dict[str, RawInput], environment: Environment) -> str:
        return lineage.sum_of_value(
            {
                "code": self._code_sum,
                "catalog": self._catalog_config,
                "parameters": {name: value for name, value in self._parameters.items() if name != "runs"},
                "raw": {name: one.sum for name, one in raw.items()},
                "inputs": {name: artefact.sum for name, artefact in self._inputs.items()},
                "nodes": sorted(node.name for node in self._nodes),
                "environment": environment.model_dump(),
            }
        )

    def _read_metrics(self) -> dict[str, dict[str, Scalar]]:
        metrics: dict[str, dict[str, Scalar]] = {}
        for name in self._outputs:
            if any(fnmatch(name, pattern) for pattern in self._settings.metrics):
                values = self._catalog.load(self._outputs[name])
                if isinstance(values, dict):
                    metrics[name] = {
                        k: v for k, v in values.items() if isinstance(v, bool | int | float | str)
                    }
        return metrics

    def _measure(self, name: str) -> tuple[str | None, int | None]:
        if not self._is_local(name):
            return None, None
        try:
            return files.measure(self._ledger.project / self._path(name))
        except FileNotFoundError:
            raise LedgerError(
                f"{name}: {self._path(name)} was not written; the run is not committed"
            ) from None

    def _bring_to_disk(self) -> None:
        folders = set()
        for name in self._outputs:
            if self._is_local(name):
                path = self._ledger.project / self._path(name)
                files.bring_to_disk(path)
                folders |= {folder for folder in path.parents if folder != folder.parent}
        files.bring_names_to_disk(folders)

    def _find_twin(self, record: Record) -> Record | None:
        """Find the last run of the same recipe."""
        twins = [earlier for earlier in self._ledger.records() if earlier.recipe == record.recipe]
        return twins[-1] if twins else None

    # --- Where it lies

    def _is_local(self, name: str) -> bool:
        return self._places[self._outputs[name]].is_local

    def _path(self, name: str) -> str:
        """Where the version that this run writes lies, seen from the project's folder."""
        return self._ledger.name_of(self._places[self._outputs[name]].version(self.run_id))


def _list_differing(record: Record, twin: Record) -> list[str]:
    return sorted(
        name
        for name, artefact in record.wrote.items()
        if artefact.sha256 and name in twin.wrote and twin.wrote[name].sha256 != artefact.sha256
    )


def _shorten(names: list[str]) -> str:
    return ", ".join(names) if len(names) < 5 else f"{', '.join(names[:3])} and {len(names) - 3} more"


def _read_command() -> str | None:
    """What the user typed; none where the run was started from Python."""
    return " ".join(["kedro", *sys.argv[1:]]) if click.get_current_context(silent=True) else None
