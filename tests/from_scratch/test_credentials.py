"""Downloads read user names and passwords from credentials.yml, and never write or log them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from kedro_ledger.ledger import Ledger
from tests.support.file_server import FileServer, serving
from tests.support.project import Project
from tests.support.scheduled import PASSENGERS, set_catalog, set_parameters

PASSWORD = "xyzzy-plugh"
BASIC = "Basic YWRhOnh5enp5LXBsdWdo"
LINEAR = ("run", "--env", "scheduled", "--pipeline", "data_processing")


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving(PASSENGERS.encode()) as server:
        server.expected = BASIC
        yield server


@pytest.fixture
def project(project: Project, server: FileServer) -> Project:
    """Make a project that downloads with a password."""
    set_catalog(project, url=server.url)
    catalog = project.folder / "conf/scheduled/catalog.yml"
    entries = yaml.safe_load(catalog.read_text())
    entries["raw_data"]["credentials"] = "export"
    catalog.write_text(yaml.safe_dump(entries))
    set_parameters(project, runs={"raw_data": "pinned", "changing": ["raw_data"]})
    for command in ("init -q", "add .", "-c user.name=a -c user.email=a commit -qm a"):
        subprocess.run(["git", *command.split()], cwd=project.folder, check=True)
    project.configure("credentials.yml", f"export: {{username: ada, password: {PASSWORD}}}\n", "scheduled")
    return project


def files_with(secret: str, folder: Path) -> list[str]:
    """Find the files that contain a text, except the configuration."""
    files = [file for file in folder.rglob("*") if file.is_file() and file.parent.parent.name != "conf"]
    return [file.name for file in files if secret.encode() in file.read_bytes()]


@pytest.mark.slow
def test_passwords_are_not_stored_or_printed(project: Project, server: FileServer) -> None:
    outputs = []

    def kedro(code: int) -> None:
        ran = project.kedro(*LINEAR)
        assert ran.returncode == code, ran.stderr
        outputs.append(ran.stdout + ran.stderr)

    kedro(0)
    server.content = (PASSENGERS + PASSENGERS.splitlines()[1]).encode()
    kedro(1)
    server.content = b"<html>"
    kedro(1)
    server.expected, asked = "Basic of another user", server.asked
    kedro(1)
    assert "status 401; expected other credentials" in outputs[-1]
    server.expected, server.status = BASIC, 404
    kedro(1)
    with serving(PASSENGERS.encode(), "127.0.0.2") as elsewhere:
        server.redirect(elsewhere.url)
        kedro(1)
        assert elsewhere.asked == 0
    assert server.asked == asked + 3
    server.shutdown()
    server.socket.close()
    kedro(1)
    record = Ledger(project.folder).find("last")
    assert record.catalog["raw_data"]["credentials"] == "export"
    assert record.code.commit
    for secret in (PASSWORD, BASIC, BASIC.removeprefix("Basic ")):
        assert not files_with(secret, project.folder)
        assert secret not in "".join(outputs)


@pytest.mark.parametrize("is_there", [True, False])
def test_passwords_in_the_catalog_are_refused_before_anything_is_written(
    project: Project, is_there: bool
) -> None:
    catalog = project.folder / "conf/scheduled/catalog.yml"
    entries = yaml.safe_load(catalog.read_text())
    entries["raw_data"]["url"] = f"http://ada:{PASSWORD}@127.0.0.1/train.csv"
    catalog.write_text(json.dumps(entries))
    if not is_there:
        (project.folder / "data/01_raw/train.csv").unlink()
    before = sorted(project.folder.glob("data/**"))
    ran = project.kedro(*LINEAR)
    (line,) = ran.stderr.splitlines()
    assert ran.returncode == 1
    assert "Error: raw_data: " in line
    assert "expected credentials in a block of credentials.yml" in line
    assert sorted(project.folder.glob("data/**")) == before
    assert not files_with(PASSWORD, project.folder)
    assert PASSWORD not in ran.stderr
