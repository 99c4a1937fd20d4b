"""A committed run once more, from its record, in a folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml
from kedro.io import DataCatalog

from from_scratch.runs import files, rerun
from from_scratch.runs.differences import compare, compare_environments, describe_difference
from from_scratch.runs.environment import read_environment
from from_scratch.runs.errors import LedgerError
from from_scratch.runs.ledger import Ledger
from from_scratch.runs.record import RawInput, Record

ENVIRONMENT = "reproduce"
"""The name of the configuration environment that holds what the record says."""
NO_NETWORK = {f"{protocol}_proxy": "http://127.0.0.1:9" for protocol in ("http", "https", "all")} | {
    "no_proxy": ""
}
"""A rerun must fetch nothing that the run did not have."""


def list_changed_surroundings(record: Record) -> list[str]:
    """List what is another here and now than when a run ran, and may make other bytes.

    Args:
        record: The run.

    Returns:
        A line for each difference of packages, platform or threads.
    """
    now = read_environment()
    lines = [
        f"{name}: {then or 'none'} then, {today or 'none'} now"
        for name, (then, today) in {
            **compare_environments(record.environment, now),
            **compare(record.environment.packages, now.packages),
        }.items()
    ]
    if record.code_changed_meanwhile:
        lines.append("src was changed while the run's process ran: which state each step saw is not known")
    return lines


def reproduce(ledger: Ledger, record: Record, folder: Path) -> dict[str, str | None]:
    """Run a run again.

    Args:
        ledger: The project's runs.
        record: The run.
        folder: An empty folder, which will hold the code, the data and what comes out.

    Returns:
        For each dataset that the run wrote how it differs now; none where it is identical.

    Raises:
        LedgerError: If something is missing that the run needs, or the rerun fails.
    """
    _see_that_all_is_inside(record)
    raw = {name: _find_raw(ledger, name, one) for name, one in record.raw.items() if one.sha256}
    inputs = {name: record.view[name] for name in record.inputs}
    for name, artefact in inputs.items():
        ledger.check(name, artefact)

    _check_out(ledger.project, record, folder)
    project = folder / record.code.folder
    for name, file in raw.items():
        path = record.raw[name].path
        if path and not Path(path).is_absolute():
            _copy(file, project / path)
    for artefact in inputs.values():
        _copy(ledger.path(artefact), project / artefact.path)
    _write_configuration(record, project)
    _write_first_record(record, project)
    _run(record, project)

    again = Ledger(project)
    different: dict[str, str | None] = {}
    for name, artefact in record.wrote.items():
        there = again.path(artefact)
        if not there.exists():
            different[name] = "not written"
        elif files.measure(there)[0] == artefact.sha256:
            different[name] = None
        else:
            different[name] = _describe(record, name, ledger, project)
    return different


def _see_that_all_is_inside(record: Record) -> None:
    outside = [
        name
        for name, artefact in [*record.artefacts]
        if (name in record.wrote or name in record.inputs)
        and (artefact.sha256 is None or Path(artefact.path).is_absolute())
    ]
    if outside:
        raise LedgerError(
            f"{', '.join(sorted(set(outside)))}: not kept in the project's folder; "
            "expected all that the run read and wrote to be there, so that it can be rebuilt apart"
        )
    if record.code.commit is None:
        raise LedgerError(f"run {record.run_id} ran outside git: its code was not recorded")
    if record.code.patch_left_out:
        raise LedgerError(f"run {record.run_id} has no record of its code: {record.code.patch_left_out}")


def _find_raw(ledger: Ledger, name: str, raw: RawInput) -> Path:
    """Find raw data by its sum: where it was, else under another name beside it."""
    recorded = ledger.project / (raw.path or "")
    beside = sorted(recorded.parent.rglob("*")) if recorded.parent.is_dir() else []
    if Path(raw.path or "").is_absolute():
        beside = []
    for candidate in [recorded, *beside]:
        if not candidate.exists() or (candidate.is_file() and candidate.stat().st_size != raw.bytes):
            continue
        if files.measure(candidate)[0] == raw.sha256:
            return candidate
    raise LedgerError(
        f"{name}: {raw.path} is not what the run read, and nothing beside it is; "
        f"expected a file of {raw.bytes} bytes with sha256 {raw.sha256}"
    )


def _check_out(project: Path, record: Record, folder: Path) -> None:
    """Check out the code in a repository of its own, which borrows the project's objects."""
    code = record.code
    top = _git(project, "rev-parse", "--show-toplevel").strip()
    _git(project, "clone", "--quiet", "--shared", "--no-checkout", top, str(folder))
    try:
        _git(folder, "-c", "advice.detachedHead=false", "checkout", "--quiet", "--detach", str(code.commit))
    except LedgerError as error:
        raise LedgerError(f"commit {code.commit} of run {record.run_id} is not in this repository") from error
    if code.patch:
        _git(folder, "apply", "--whitespace=nowarn", "-", stdin=code.patch.encode(code.patch_encoding))


def _write_configuration(record: Record, project: Path) -> None:
    """Write what the record says into an environment that stands above conf/base."""
    environment = project / "conf" / ENVIRONMENT
    environment.mkdir(parents=True)
    for name, content in {"catalog": record.catalog, "parameters": record.parameters}.items():
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
        (environment / f"{name}.yml").write_text(text, encoding="utf-8")


def _write_first_record(record: Record, project: Path) -> None:
    """Let the rerun find the versions that the run read, as those of a run before it."""
    if not record.inputs:
        return
    inputs = {name: record.view[name] for name in record.inputs}
    first = record.model_copy(
        update={"seq": 0, "run_id": "inputs", "wrote": {}, "carried": inputs, "inputs": {}}
    )
    ledger = Ledger(project)
    ledger.folder.mkdir(parents=True, exist_ok=True)
    ledger.commit(first)


def _run(record: Record, project: Path) -> None:
    order = {
        "env": ENVIRONMENT,
        "run_id": record.run_id,
        "pipeline_names": record.pipelines,
        "node_names": record.nodes,
        "load_versions": {name: version for name, version in record.inputs.items() if name in record.wrote},
    }
    written = project / "conf" / ENVIRONMENT / "order.json"
    written.write_text(json.dumps(order), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KEDRO_")}
    ran = subprocess.run(
        [sys.executable, "-P", rerun.__file__, str(project), str(written)],
        cwd=project,
        env={**environment, **NO_NETWORK, "PYTHONPATH": str(project / "src")},
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,  # what this command itself has to say goes to stdout
        start_new_session=True,  # Ctrl-C ends this command, which then ends the rerun
    )
    if ran.returncode:
        raise LedgerError(f"the rerun failed (exit code {ran.returncode}); it lies in {project}")


def _describe(record: Record, name: str, ledger: Ledger, project: Path) -> str:
    """Load both versions, each from its folder, and say how they differ."""
    try:
        then, now = (
            DataCatalog.from_config(
                _rooted(record.catalog, root), load_versions={name: record.wrote[name].version}
            ).load(name)
            for root in (ledger.project, project)
        )
    except Exception as error:  # a dataset may raise anything; that the sums differ is known already
        return f"other bytes, which can't be compared: {error}"
    return describe_difference(then, now)


def _rooted(catalog: dict[str, Any], root: Path) -> dict[str, Any]:
    """Let relative paths begin in a folder."""
    rooted = deepcopy(catalog)
    for entry in rooted.values():
        path = entry.get("filepath") if isinstance(entry, dict) else None
        if path and "://" not in path:
            entry["filepath"] = str(root / path)
    return rooted


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copy(source, target)


def _git(folder: Path, *arguments: str, stdin: bytes | None = None) -> str:
    command = ["git", "-c", f"core.hooksPath={os.devnull}", *arguments]
    try:
        ran = subprocess.run(command, cwd=folder, input=stdin, capture_output=True)
    except FileNotFoundError as error:
        raise LedgerError("git is not installed; expected it, to check out the run's code") from error
    if ran.returncode:
        raise LedgerError(f"git {arguments[0]}: {' '.join(ran.stderr.decode(errors='replace').split())}")
    return ran.stdout.decode()
