"""The units, checked by systemd itself, and the sandbox that they define."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.project import Project
from tests.support.scheduled import set_catalog

pytestmark = pytest.mark.slow

ODD = "a project, 100 % odd; 'ü'"


def words(line: str) -> list[str]:
    """Split a line into words as systemd does."""
    found = re.findall(r'"([^"]*)"|(\S+)', line)
    return [(quoted or plain).replace("%%", "%") for quoted, plain in found]


def write_units(project: Project, folder: Path, every: str = "0 2 * * *") -> list[Path]:
    ran = project.kedro("schedule", "--cron", every, "--scheduler", "systemd", "--output-dir", str(folder))
    assert ran.returncode == 0, ran.stderr
    return sorted(folder.iterdir())


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
@pytest.mark.parametrize("every", ["0 2 * * *", "*/5 * 1,15 * 5"])
@pytest.mark.parametrize("name", [".", ODD])
def test_systemd_finds_nothing_wrong(project: Project, tmp_path: Path, every: str, name: str) -> None:
    if name != ".":
        shutil.move(project.folder, tmp_path / name)
        project = Project(tmp_path / name)
    units = write_units(project, tmp_path / "units", every)
    command = ["systemd-analyze", "verify", "--recursive-errors=yes", *map(str, units)]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_the_checker_would_find_a_fault(project: Project, tmp_path: Path) -> None:
    units = write_units(project, tmp_path)
    service = next(unit for unit in units if unit.name == "from-scratch.service")
    service.write_text(service.read_text().replace("WorkingDirectory=", "WorkingDirektory="))
    ran = subprocess.run(["systemd-analyze", "verify", *map(str, units)], capture_output=True, text=True)
    assert "WorkingDirektory" in ran.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount folders read-only")
@pytest.mark.parametrize("name", [".", ODD])
def test_a_run_writes_only_where_the_unit_allows_it(project: Project, tmp_path: Path, name: str) -> None:
    """Mount everything read-only except ReadWritePaths, like ProtectSystem=strict."""
    if name != ".":
        shutil.move(project.folder, tmp_path / name)
        project = Project(tmp_path / name)
    set_catalog(project)
    (project.folder / "logs").mkdir()
    units = {unit.name: unit.read_text() for unit in write_units(project, tmp_path / "units")}
    service = units["from-scratch.service"]
    settings = dict(re.findall(r"^(\w+)=(.*)$", service, re.M))
    assert settings["ProtectSystem"] == "strict"

    writable = [path.removeprefix("-") for path in words(settings["ReadWritePaths"])]
    folder = shlex.quote(str(project.folder))
    script = "\n".join(
        [
            "set -e",
            "mount --make-rprivate /",
            f"mount --bind {folder} {folder}",
            *(
                f"mount --bind {shlex.quote(path)} {shlex.quote(path)}"
                for path in writable
                if Path(path).exists()
            ),
            f"mount -o remount,bind,ro {folder}",
            f"cd {folder}",
            "if touch conf/x 2>/dev/null; then echo the checkout can be written; exit 9; fi",
            shlex.join(words(settings["ExecStart"])),
        ]
    )
    ran = subprocess.run(["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert "committed as run" in ran.stderr
    assert "committed as run" in (project.folder / "logs/scheduled.log").read_text()
    assert "Traceback" not in ran.stderr
