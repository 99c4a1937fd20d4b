"""Rebuild a committed run from its record, in a separate folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from kedro.framework import project as kedro_project
from kedro.io import DataCatalog

from kedro_ledger import files, rerun
from kedro_ledger.differences import compare, compare_environments, describe_difference
from kedro_ledger.environment import read_environment
from kedro_ledger.errors import LedgerError
from kedro_ledger.git import git
from kedro_ledger.ledger import Ledger
from kedro_ledger.paths import is_relative
from kedro_ledger.record import RawInput, Record
from kedro_ledger.sources import Sources, hash_sources
from kedro_ledger.storage import move_paths

CHECKOUT, CONF, ORDER = "project", "conf", "order.json"
"""Contents of a rerun's folder: the code with its data, the configuration, and the run's arguments."""
OUTSIDE = "data/outside"
"""Folder in a rerun for all data that was outside the project, whether or not the ledger recorded it."""
PROXIES = ("http_proxy", "https_proxy", "all_proxy")
NO_NETWORK = {name: "http://127.0.0.1:9" for proxy in PROXIES for name in (proxy, proxy.upper())}
"""Environment variables with a proxy that does not exist, so that a rerun can't download data."""
NO_TELEMETRY = {"DO_NOT_TRACK": "1"}
"""Environment variables for a rerun, since the file `.telemetry`, which may opt out, is rarely in git."""
BLOCKED_PREFIXES = ("KEDRO_", "GIT_", "no_proxy", "NO_PROXY")
"""Prefixes of environment variables that are not passed on to a rerun."""


def list_environment_changes(record: Record) -> list[str]:
    """List how packages, platform and threads differ from those of a run, as they may change the result."""
    now = read_environment()
    changed = compare_environments(record.environment, now)
    changed |= compare(record.environment.packages, now.packages)
    lines = [
        f"{name}: {then or 'none'} then, {today or 'none'} now" for name, (then, today) in changed.items()
    ]
    if record.code_changed_meanwhile:
        lines.append("the code changed during the run, so it is unknown which state each node used")
    return lines


def reproduce(ledger: Ledger, record: Record, folder: Path) -> dict[str, str | None]:
    """Rebuild a run, and compare its outputs.

    Returns:
        For each output of the run how the rebuilt one differs, or None if it is identical.

    Raises:
        LedgerError: If an input or the code of the run is missing, or the rerun fails.
    """
    _require_rebuildable(record)
    inputs = {name: record.view[name] for name in record.inputs}
    for name, artefact in inputs.items():
        ledger.require_intact(name, artefact)

    project = _check_out(ledger.project, record, folder / CHECKOUT)
    recorded = {name: read for name, read in record.raw.items() if read.sha256}
    raw = {name: _find_raw([ledger.project, project], read, name) for name, read in recorded.items()}
    versions = [artefact.folder for artefact in [*record.outputs.values(), *inputs.values()]]
    raw_targets = {name: _path_in_rerun(ledger, read.path or "") for name, read in recorded.items()}
    for to_be_written in (f"{OUTSIDE}/x", "data/runs/x", *versions, *raw_targets.values()):
        _make_real_folder(project, Path(to_be_written))

    def move(path: str) -> str:
        target = _path_in_rerun(ledger, path)
        fixed, pattern, _ = target.partition("{")  # `{` starts a placeholder of a dataset factory
        _make_real_folder(project, Path(f"{fixed}x" if pattern else target))
        return target

    catalog = move_paths(record.catalog, move)
    for name, file in raw.items():
        target = project / raw_targets[name]
        if file != Path(os.path.realpath(target)):
            files.remove(target)  # it may exist in the commit
            _copy(file, target)
    for artefact in inputs.values():
        _copy(ledger.path(artefact), project / artefact.path)
    _write_first_record(record, project)
    _run(record, catalog, project, folder)

    again = Ledger(project)
    different: dict[str, str | None] = {}
    for name, artefact in record.outputs.items():
        there = again.path(artefact)
        if not there.exists():
            different[name] = "not written"
        elif files.hash_and_size(there)[0] == artefact.sha256:
            different[name] = None
        else:
            different[name] = _describe(record, name, ledger, project)
    return different


def _require_rebuildable(record: Record) -> None:
    outside = {
        name
        for name, artefact in record.artefacts
        if (name in record.outputs or name in record.inputs)
        and (artefact.sha256 is None or Path(artefact.path).is_absolute())
    }
    if outside:
        raise LedgerError(
            f"{', '.join(sorted(outside))}: not in the project's folder; "
            "expected all inputs and outputs of the run to be in it, so that the run can be rebuilt elsewhere"
        )
    if elsewhere := sorted(name for name, raw in record.raw.items() if not raw.path):
        raise LedgerError(f"{', '.join(elsewhere)}: not a local file, so the run did not record its content")
    if record.code.commit is None or record.code.patch_left_out:
        reason = record.code.patch_left_out or "its code is not in git"
        raise LedgerError(f"run {record.run_id} can't be rebuilt: {reason}")
    if record.inexact:
        raise LedgerError(
            f"run {record.run_id} can't be rebuilt: its {' and '.join(record.inexact)} contain values that "
            "JSON can't represent; expected text as names, and text, numbers, lists or blocks as values"
        )


def _find_raw(projects: list[Path], raw: RawInput, name: str) -> Path:
    """Find raw data by its hash: at its path, now or in the commit, or elsewhere in its folder."""
    path = Path(raw.path or "")
    for project in projects:
        found = Path(os.path.realpath(project / path))  # links in the rerun's folder are replaced by folders
        if found.exists() and files.hash_and_size(found)[0] == raw.sha256:
            return found
    parent_folder = (projects[0] / path).parent
    if not path.is_absolute() and parent_folder.is_dir():  # outside the project, only the path counts
        for file in sorted(parent_folder.rglob("*")):
            if (
                file.is_file()
                and file.stat().st_size == raw.bytes
                and files.hash_and_size(file)[0] == raw.sha256
            ):
                return file
    raise LedgerError(
        f"{name}: neither {raw.path} nor another file in its folder is what the run read; "
        f"expected {raw.bytes} bytes with sha256 {raw.sha256}"
    )


def _check_out(project: Path, record: Record, folder: Path) -> Path:
    """Check out the code in a new repository that borrows the objects of the project's repository."""
    code = record.code
    facts = "--show-object-format --path-format=absolute --git-path objects --git-path shallow"
    object_format, objects, shallow = os.fsdecode(git(project, "rev-parse", *facts.split())).splitlines()
    folder.mkdir()
    git(folder, "init", "--quiet", f"--object-format={object_format}")
    _copy_configuration(project, folder)
    (folder / ".git" / "objects" / "info" / "alternates").write_bytes(os.fsencode(f"{objects}\n"))
    if Path(shallow).exists():
        shutil.copy(shallow, folder / ".git" / "shallow")
    try:
        git(folder, "cat-file", "-e", f"{code.commit}^{{commit}}")
    except LedgerError as error:
        raise LedgerError(f"commit {code.commit} of run {record.run_id} is not in this repository") from error
    git(folder, "-c", "advice.detachedHead=false", "checkout", "--quiet", "--detach", str(code.commit))
    if code.patch:
        git(folder, "apply", "--whitespace=nowarn", "-", stdin=code.patch.encode(code.patch_encoding))
    checked_out = folder / code.folder
    if Path(os.path.realpath(checked_out)) != Path(os.path.realpath(folder), code.folder):
        raise LedgerError(f"{code.folder} is behind a link in the checkout from git; expected a folder")
    there = Sources(hash_sources(checked_out, code.source_dir, kedro_project.PACKAGE_NAME))
    if other := compare(code.files, there.without(code.left_out).files):
        raise LedgerError(
            f"{', '.join(other)}: the checkout from git differs from the record; "
            "expected all code to be in git, and not ignored"
        )
    return checked_out


def _copy_configuration(project: Path, folder: Path) -> None:
    """Configure git to convert files on checkout as it does in the project."""
    for setting in os.fsdecode(git(project, "config", "-z", "--list")).split("\0"):
        name, _, value = setting.partition("\n")
        if name in ("core.autocrlf", "core.eol", "core.safecrlf") or name.startswith("filter."):
            git(folder, "config", name, value or "true")
    attributes = Path(os.fsdecode(git(project, "rev-parse", "--git-path", "info/attributes")).strip())
    if (project / attributes).is_file():
        shutil.copy(project / attributes, folder / ".git" / "info" / "attributes")


def _make_real_folder(project: Path, path: Path) -> None:
    """Create a path's folder, replacing links on the way, so that nothing is written outside the project."""
    if not is_relative(path.as_posix()):
        raise LedgerError(f"{path} is outside the rerun's folder; expected a path in the project")
    for parent in [*reversed(path.parents), path]:
        if (project / parent).is_symlink():
            (project / parent).unlink()
        if parent != path:
            (project / parent).mkdir(exist_ok=True)


def _write_first_record(record: Record, project: Path) -> None:
    """Commit the versions that the run read in the rerun's ledger, as the outputs of an earlier run."""
    if record.inputs:
        # The code of every commit can read format 1.
        first: dict[str, Any] = {"format": 1, "seq": 0, "run_id": "inputs"}
        first |= {"inherited": {name: record.view[name] for name in record.inputs}}
        first |= {"outputs": {}, "inputs": {}, "outdated": []}
        Ledger(project).commit(record.model_copy(update=first))


def _run(record: Record, catalog: dict[str, Any], project: Path, folder: Path) -> None:
    order = {
        "catalog": catalog,
        "parameters": _without_conditions(record.parameters),
        "run": {
            "run_id": record.run_id,
            "pipeline_names": record.pipelines,
            "node_names": record.nodes,
            "load_versions": {name: v for name, v in record.inputs.items() if name in record.outputs},
        },
    }
    (folder / ORDER).write_text(json.dumps(order), encoding="utf-8")
    passed_on = {name: value for name, value in os.environ.items() if not name.startswith(BLOCKED_PREFIXES)}
    ran = subprocess.run(
        [sys.executable, "-P", rerun.__file__, str(project), str(folder / CONF), str(folder / ORDER)],
        cwd=project,
        env={**passed_on, **NO_NETWORK, **NO_TELEMETRY, "PYTHONPATH": str(project / record.code.source_dir)},
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,  # stdout is for the result of this command
        start_new_session=True,  # Ctrl-C stops this command, which then stops the rerun
    )
    if ran.returncode:
        raise LedgerError(f"the rerun failed with exit code {ran.returncode}; its output is above")


def _without_conditions(parameters: dict[str, Any]) -> dict[str, Any]:
    """Remove the parameters on raw data and drift, as a rerun uses the recorded data."""
    if not isinstance(block := parameters.get("runs"), dict):
        return parameters
    conditions = ("raw_data", "changing", "drift")
    return parameters | {"runs": {name: v for name, v in block.items() if name not in conditions}}


def _path_in_rerun(ledger: Ledger, path: str) -> str:
    """Return the path in a rerun for a path of the run. Paths outside the project move to `OUTSIDE`."""
    inside = Path(ledger.relative_path(ledger.project / path))
    return (Path(OUTSIDE, *inside.parts[1:]) if inside.is_absolute() else inside).as_posix()


def _describe(record: Record, name: str, ledger: Ledger, project: Path) -> str:
    """Load both versions, each from its project folder, and describe how they differ."""

    def load(root: Path) -> Any:
        catalog = move_paths(record.catalog, lambda path: str(root / path))
        return DataCatalog.from_config(catalog, load_versions={name: record.run_id}).load(name)

    try:
        return describe_difference(load(ledger.project), load(project))
    except Exception as error:  # a dataset may raise any error, and NumPy may be missing
        return f"different bytes, which can't be compared: {error}"


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copy(source, target)
