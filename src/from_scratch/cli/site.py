"""Cleaning of the site that `kedro viz build` writes and `kedro viz deploy` uploads."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kedro.utils import find_kedro_project

from kedro_ledger.errors import InputError
from kedro_ledger.printable import echo

FOLDER = "build"
"""Output folder of `kedro viz build`, relative to the current folder."""

ERROR = "See kedro.log on the machine that ran the pipeline."
"""Text that replaces error messages of failed runs, which may contain paths and values from the data."""

_FONTS = re.compile(r'\s*<link\s[^>]*"https://fonts\.(googleapis|gstatic)\.com[^>]*>')
_HOMES = r"/home/[^/\s]+|/Users/[^/\s]+|[A-Za-z]:[\\/]+Users[\\/]+[^\\/\s]+|/root(?=[/\s]|$)"


def patch_kedro_viz() -> None:
    """Make `kedro viz build` and `deploy` publish a cleaned copy, and raise errors rather than print them."""
    from kedro_viz.launchers.cli import utils  # slow to import

    utils._load_and_deploy_viz = _publish
    utils.display_cli_message = _print_or_raise


def _publish(
    platform: str,
    with_previews: bool,
    endpoint: str | None,
    bucket: str | None,
    include_hooks: bool,
    package_name: str,
    completed: Any,
    errors: Any,
) -> None:
    """Build the site in a temporary folder, clean it, and copy it to its target.

    Replaces Kedro-Viz's own function, in a process that Kedro-Viz starts.
    """
    import fsspec
    from kedro_viz.integrations.deployment.base_deployer import BaseDeployer
    from kedro_viz.integrations.deployment.deployer_factory import DeployerFactory
    from kedro_viz.server import load_and_populate_data

    try:
        load_and_populate_data(Path.cwd(), include_hooks=include_hooks, package_name=package_name)
        target = DeployerFactory.create_deployer(platform, endpoint, bucket)
        if not target._fs.exists(str(target._path)):  # `put` would create it
            raise FileNotFoundError(f"bucket {bucket} does not exist")
        with TemporaryDirectory() as folder:
            builder = BaseDeployer()
            builder._path, builder._fs = folder, fsspec.filesystem("file")
            builder.deploy(with_previews)
            clean(Path(folder), find_kedro_project(Path.cwd()) or Path.cwd())
            target._fs.put(f"{folder}/*", str(target._path), recursive=True)
    except Exception as error:  # the command raises it again
        errors.put(InputError(" ".join(str(error).split()) or repr(error)))
        errors.close()
        errors.join_thread()
    finally:
        completed.value = 1


def _print_or_raise(message: str, color: str) -> None:
    """Print a message of Kedro-Viz, or raise it if it reports an error."""
    if color == "red":
        raise InputError(" ".join(message.removeprefix("ERROR: ").split())) from None
    echo(message)


def remove_earlier_build(folder: Path) -> None:
    """Remove the project's data from an earlier build; Kedro-Viz leaves files that it does not overwrite.

    Raises:
        InputError: If Kedro-Viz did not write the folder.
    """
    api = folder / "api"
    if api.is_symlink() or (api.exists() and not (api / "main").is_file()):
        raise InputError(
            f"{folder.name}/api was not written by Kedro-Viz and would be lost; expected an earlier build. "
            "Move it elsewhere"
        )
    shutil.rmtree(api, ignore_errors=True)


def clean(folder: Path, project: Path) -> None:
    """Remove everything from a build that should not be published.

    Raises:
        InputError: If it still contains a path on this machine.
    """
    _clean_data(folder / "api", project)
    _clean_page(folder)
    _require_no_paths(folder / "api", project)


def _clean_data(api: Path, project: Path) -> None:
    for file in (api / "nodes").iterdir():
        _rewrite(file, lambda node: _with_short_path(node, project))
    _rewrite(api / "run-status", _without_errors)
    # The page requests this too, but Kedro-Viz provides it only when it serves the page itself.
    fsspec = {"package_name": "fsspec", "package_version": "", "is_compatible": True}
    metadata = {"has_missing_dependencies": False, "package_compatibilities": [fsspec]}
    (api / "metadata").write_text(json.dumps(metadata), encoding="utf-8")


def _rewrite(file: Path, change: Callable[[Any], Any]) -> None:
    content = change(json.loads(file.read_bytes()))
    file.write_text(json.dumps(content, indent=2, ensure_ascii=False), encoding="utf-8")


def _with_short_path(node: dict[str, Any], project: Path) -> dict[str, Any]:
    """Shorten a file's path: relative to the project, or only the name for files elsewhere on this machine.

    Kedro-Viz gives absolute paths for datasets, and paths relative to the project's parent folder for code.
    """
    if not node.get("filepath"):
        return node
    path = project.parent / node["filepath"] if "code" in node else Path(node["filepath"])
    if not path.is_absolute():
        return node
    path = Path(os.path.normpath(path))
    short = path.relative_to(project) if path.is_relative_to(project) else Path(path.name)
    return node | {"filepath": short.as_posix()}


def _without_errors(status: dict[str, Any]) -> dict[str, Any]:
    """Keep where a run failed, but not the error messages."""
    for step in (*status["nodes"].values(), *status["datasets"].values(), status["pipeline"]):
        if step.get("error"):
            step["error"] |= {"message": ERROR, "traceback": ""}
    return status


def _clean_page(folder: Path) -> None:
    """Remove requests to other hosts, and let the page find its data in any folder of a server."""
    # 404.html is the same page without telemetry.
    page = _FONTS.sub("", (folder / "404.html").read_text(encoding="utf-8"))
    for name in ("404.html", "index.html"):
        (folder / name).write_text(page, encoding="utf-8")
    for template in ("autoreload.html", "telemetry.html"):
        (folder / template).unlink(missing_ok=True)
    for script in (folder / "assets").glob("index-*.js"):
        code = script.read_bytes()
        if b'fetch("/api/run-status")' in code:
            script.write_bytes(code.replace(b'fetch("/api/run-status")', b'fetch("api/run-status")'))


def _require_no_paths(api: Path, project: Path) -> None:
    """Require that no text contains a folder of this machine or a home folder."""
    folders = (str(project), os.path.expanduser("~"), sys.prefix)
    machine = {folder for folder in folders if len(Path(folder).parts) > 1}
    # Not after a word, as in a URL.
    paths = re.compile(rf"(?<![\w.-])({'|'.join([*map(re.escape, machine), _HOMES])})(?![\w-])")
    names = {node["id"]: node["name"] for node in json.loads((api / "main").read_bytes())["nodes"]}
    for file in sorted(file for file in api.rglob("*") if file.is_file()):
        for text in _texts(json.loads(file.read_bytes())):
            if found := paths.search(text):
                where = names.get(file.name, file.name)
                raise InputError(
                    f"{where} contains {found[0]}, a path on this machine; expected none in a published "
                    "site. Nothing was published"
                )


def _texts(content: Any) -> Iterator[str]:
    if isinstance(content, dict):
        for key, value in content.items():
            yield key
            yield from _texts(value)
    elif isinstance(content, list):
        for value in content:
            yield from _texts(value)
    elif isinstance(content, str):
        yield content
