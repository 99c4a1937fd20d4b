"""Makes what `kedro viz build` writes, and `kedro viz deploy` uploads, fit to be published."""

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
"""Where `kedro viz build` writes, in the folder that the command is called from."""

ERROR = "What went wrong is in kedro.log, on the machine of the run."
"""What a failed run leaves of its errors, whose texts may hold paths and values of the data."""

_FONTS = re.compile(r'\s*<link\s[^>]*"https://fonts\.(googleapis|gstatic)\.com[^>]*>')
_HOMES = r"/home/[^/\s]+|/Users/[^/\s]+|[A-Za-z]:[\\/]+Users[\\/]+[^\\/\s]+|/root(?=[/\s]|$)"


def clean_what_is_published() -> None:
    """Let `kedro viz build` and `deploy` publish a cleaned copy, and raise errors that they would print."""
    from kedro_viz.launchers.cli import utils  # takes long

    utils._load_and_deploy_viz = _publish
    utils.display_cli_message = _show


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
    """Build the site in a temporary folder, clean it, and copy it to where it is to be.

    This takes the place of Kedro-Viz's own function, in a process that Kedro-Viz starts.
    """
    import fsspec
    from kedro_viz.integrations.deployment.base_deployer import BaseDeployer
    from kedro_viz.integrations.deployment.deployer_factory import DeployerFactory
    from kedro_viz.server import load_and_populate_data

    try:
        load_and_populate_data(Path.cwd(), include_hooks=include_hooks, package_name=package_name)
        target = DeployerFactory.create_deployer(platform, endpoint, bucket)
        if not target._fs.exists(str(target._path)):  # `put` would make one
            raise FileNotFoundError(f"there is no bucket {bucket}")
        with TemporaryDirectory() as folder:
            builder = BaseDeployer()
            builder._path, builder._fs = folder, fsspec.filesystem("file")
            builder.deploy(with_previews)
            clean(Path(folder), find_kedro_project(Path.cwd()) or Path.cwd())
            target._fs.put(f"{folder}/*", str(target._path), recursive=True)
    except Exception as error:  # which the command raises again
        errors.put(InputError(" ".join(str(error).split()) or repr(error)))
        errors.close()
        errors.join_thread()
    finally:
        completed.value = 1


def _show(message: str, color: str) -> None:
    """Print what Kedro-Viz says; raise what went wrong."""
    if color == "red":
        raise InputError(" ".join(message.removeprefix("ERROR: ").split())) from None
    echo(message)


def forget(folder: Path) -> None:
    """Remove what an earlier build wrote of the project: Kedro-Viz would leave what it doesn't write again.

    Raises:
        InputError: If the folder is somebody else's.
    """
    api = folder / "api"
    if api.is_symlink() or (api.exists() and not (api / "main").is_file()):
        raise InputError(f"{folder.name}/api is not what Kedro-Viz wrote, and it would be lost: move it away")
    shutil.rmtree(api, ignore_errors=True)


def clean(folder: Path, project: Path) -> None:
    """Make a build fit to be published.

    Raises:
        InputError: If a path of this machine is still in there.
    """
    _clean_data(folder / "api", project)
    _clean_page(folder)
    _require_no_paths(folder / "api", project)


def _clean_data(api: Path, project: Path) -> None:
    for file in (api / "nodes").iterdir():
        _rewrite(file, lambda node: _with_short_path(node, project))
    _rewrite(api / "run-status", _without_errors)
    # The page asks for this too, and Kedro-Viz has it only where it serves the page itself.
    fsspec = {"package_name": "fsspec", "package_version": "", "is_compatible": True}
    metadata = {"has_missing_dependencies": False, "package_compatibilities": [fsspec]}
    (api / "metadata").write_text(json.dumps(metadata), encoding="utf-8")


def _rewrite(file: Path, change: Callable[[Any], Any]) -> None:
    content = change(json.loads(file.read_bytes()))
    file.write_text(json.dumps(content, indent=2, ensure_ascii=False), encoding="utf-8")


def _with_short_path(node: dict[str, Any], project: Path) -> dict[str, Any]:
    """Name a file by its path in the project; one that lies elsewhere on this machine, by its name alone.

    Of a dataset Kedro-Viz tells the absolute path, of code the path from the folder that the project is in.
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
    """Keep that something failed, and where, but not what the error said."""
    for step in (*status["nodes"].values(), *status["datasets"].values(), status["pipeline"]):
        if step.get("error"):
            step["error"] |= {"message": ERROR, "traceback": ""}
    return status


def _clean_page(folder: Path) -> None:
    """Let the page ask nothing of other hosts, and find its data in whichever folder of a server it lies."""
    page = _FONTS.sub("", (folder / "404.html").read_text(encoding="utf-8"))  # has no telemetry in it
    for name in ("404.html", "index.html"):
        (folder / name).write_text(page, encoding="utf-8")
    for template in ("autoreload.html", "telemetry.html"):
        (folder / template).unlink(missing_ok=True)
    for script in (folder / "assets").glob("index-*.js"):
        code = script.read_bytes()
        if b'fetch("/api/run-status")' in code:
            script.write_bytes(code.replace(b'fetch("/api/run-status")', b'fetch("api/run-status")'))


def _require_no_paths(api: Path, project: Path) -> None:
    """Require that nothing names a folder of this machine, or anyone's home."""
    folders = (str(project), os.path.expanduser("~"), sys.prefix)
    machine = {folder for folder in folders if len(Path(folder).parts) > 1}
    # Not behind a word, as in an address of the web.
    paths = re.compile(rf"(?<![\w.-])({'|'.join([*map(re.escape, machine), _HOMES])})(?![\w-])")
    names = {node["id"]: node["name"] for node in json.loads((api / "main").read_bytes())["nodes"]}
    for file in sorted(file for file in api.rglob("*") if file.is_file()):
        for text in _texts(json.loads(file.read_bytes())):
            if found := paths.search(text):
                where = names.get(file.name, file.name)
                raise InputError(
                    f"not published: what would be published of {where} names {found[0]}, on this machine"
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
