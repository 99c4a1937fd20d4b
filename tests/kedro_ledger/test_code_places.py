"""Code outside `src`: in other folders, installed, in submodules, or in unknown places."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kedro_ledger.changes import describe_changes
from kedro_ledger.record import Record
from kedro_ledger.sources import hash_files
from tests.kedro_ledger.test_code import git
from tests.kedro_ledger.test_reproduce import commit, expect_reproduced
from tests.support.tiny import TOTALS, Tiny

SOURCES = Path(__file__).parents[2] / "src"
MISSING = {"only_missing_outputs": True}
WHEEL = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "tiny-things"
version = "1.2"

[tool.setuptools]
packages = ["tiny"]
"""
MAIN = """
from pathlib import Path

from kedro.framework.cli.utils import find_run_command
from kedro.framework.project import configure_project

if __name__ == "__main__":
    package_name = Path(__file__).parent.name
    configure_project(package_name)
    find_run_command(package_name)()
"""


@pytest.fixture
def tiny(tiny: Tiny) -> Tiny:
    """A small project in git."""
    git(tiny.folder, "init", "--quiet")
    commit(tiny)
    return tiny


def move_sources(tiny: Tiny, source_dir: str) -> Path:
    """Move the package into another source folder, and return its file with the nodes."""
    project = tiny.folder / "pyproject.toml"
    project.write_text(f'{project.read_text()}source_dir = "{source_dir}"\n')
    package = tiny.folder / source_dir / "tiny"
    package.parent.mkdir(exist_ok=True)
    shutil.move(tiny.folder / "src" / "tiny", package)
    commit(tiny)
    return package / "pipeline_registry.py"


def change(registry: Path) -> None:
    """Change a node."""
    registry.write_text(registry.read_text().replace("number * factor", "number * factor * 10"))


def expect_change_seen(tiny: Tiny, registry: Path) -> tuple[Record, Record]:
    """Check that a run records the code, and that the next run notices a change in it."""
    first = tiny.run()
    assert any(name.endswith("tiny/pipeline_registry.py") for name in first.code.files)
    assert first.code.unknown is None
    change(registry)
    second = tiny.run(**MISSING)
    assert second.outputs.keys() == first.outputs.keys(), "everything is made again"
    assert first.recipe != second.recipe
    assert second.drift
    assert [*second.drift.changed["code"]][-1].endswith("tiny/pipeline_registry.py")
    return first, second


@pytest.mark.parametrize("source_dir", ["code", "./lib/code", "."])
def test_sources_in_another_folder_are_the_code(tiny: Tiny, source_dir: str) -> None:
    (tiny.folder / "lib").mkdir()
    registry = move_sources(tiny, source_dir)
    first, second = expect_change_seen(tiny, registry)
    assert first.code.is_committed
    assert "number * factor * 10" in (second.code.patch or "")
    expect_reproduced(tiny, first)
    expect_reproduced(tiny, second)


def test_in_a_project_whose_package_is_at_its_top_other_modules_count(tiny: Tiny) -> None:
    move_sources(tiny, ".")
    for name in ("helper.py", "tools/helper.py", "tiny/query.sql", "notes.txt"):
        (tiny.folder / name).parent.mkdir(exist_ok=True)
        (tiny.folder / name).write_text("")
    for name in ("venv/pyvenv.cfg", "venv/lib.py", ".hidden/x.py", "conf/x.py", "data/x.py", "build/x.py"):
        (tiny.folder / name).parent.mkdir(exist_ok=True)
        (tiny.folder / name).write_text("")
    assert {*tiny.run().code.files} == {
        "helper.py",
        "tools/helper.py",
        "tiny/query.sql",
        *(f"tiny/{name}.py" for name in ("__init__", "pipeline_registry", "settings")),
    }


# --- Installed


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small project's package, built as a wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    tiny = Tiny.make(folder / "tiny")
    project = folder / "project"
    shutil.move(tiny.folder / "src", project)
    (project / "pyproject.toml").write_text(WHEEL)
    (project / "tiny" / "__main__.py").write_text(MAIN)
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(project))
    return next(folder.glob("*.whl"))


def pip(*arguments: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments],
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr


def python(folder: Path, path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder, with the packages in another folder."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": f"{path}{os.pathsep}{SOURCES}"},
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
def test_an_installed_package_is_the_code(wheel: Path, tmp_path: Path) -> None:
    """Run `python -m NAME` in a folder that contains only the configuration and the data."""
    tiny, site = Tiny.make(tmp_path / "here"), tmp_path / "site"
    shutil.rmtree(tiny.folder / "src")
    (tiny.folder / "pyproject.toml").unlink()
    pip("install", "--no-deps", "--target", str(site), str(wheel))
    missing = "import sys; from tiny.__main__ import *; configure_project('tiny'); " + (
        "find_run_command('tiny')(['--only-missing-outputs'])"
    )

    def run(*arguments: str) -> Record:
        ran = python(tiny.folder, site, *(arguments or ("-m", "tiny")))
        assert ran.returncode == 0, ran.stderr
        message = "(it can't be rebuilt: its code is from the installed distribution tiny-things 1.2, "
        assert message in ran.stderr
        record = tiny.ledger.last()
        assert record
        return record

    first = run()
    names = {"tiny/__init__.py", "tiny/__main__.py", "tiny/pipeline_registry.py", "tiny/settings.py"}
    assert first.code.files.keys() == names
    assert first.code.files == hash_files(site / "tiny", site)
    assert (first.code.commit, first.code.unknown) == (None, None)
    change(site / "tiny" / "pipeline_registry.py")
    second = run("-c", missing)
    assert second.recipe != first.recipe
    assert second.outputs.keys() == first.outputs.keys()
    assert second.drift
    assert second.drift.changed["code"].keys() == {"tiny/pipeline_registry.py"}
    (site / "tiny" / "added.py").write_text("")
    third = run("-c", missing)
    assert third.outputs.keys() == first.outputs.keys(), "files added after the installation are code, too"
    (tiny.folder / "conf").rename(tiny.folder / "settings")
    for arguments, message in (
        (("list",), third.run_id),
        (("verify",), "8 artefacts of 2 runs"),
        (("x",), ""),
    ):
        ran = python(tiny.folder, site, "-m", "kedro_ledger", "tiny", "runs", *arguments)
        assert (ran.returncode == 0, message in ran.stdout) == (bool(message), True), ran.stderr
    ran = python(tiny.folder, site, "-m", "kedro_ledger", "tinny", "runs", "list")
    assert ran.stderr == (
        "Error: PACKAGE is tinny, which can't be imported; expected a Kedro project's package\n"
    )
    (tiny.folder / "settings").rename(tiny.folder / "conf")
    ran = python(tiny.folder, site, "-c", missing)
    assert (ran.returncode, "nothing to run" in ran.stderr) == (0, True), ran.stderr


@pytest.mark.slow
def test_code_elsewhere_is_unknown_and_never_the_same(tmp_path: Path) -> None:
    """Use a package outside the project and any installed distribution, as in an editable install."""
    tiny, elsewhere = Tiny.make(tmp_path / "here"), tmp_path / "elsewhere"
    shutil.move(tiny.folder / "src", elsewhere)
    (tiny.folder / "pyproject.toml").unlink()
    (elsewhere / "tiny" / "__main__.py").write_text(MAIN)

    def run(**environment: str) -> tuple[Record, str]:
        options = {"TINY_VARIES": "1"} | environment
        ran = subprocess.run(
            [sys.executable, "-m", "tiny"],
            cwd=tiny.folder,
            env=os.environ | options | {"PYTHONPATH": f"{elsewhere}{os.pathsep}{SOURCES}"},
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, ran.stderr
        record = tiny.ledger.last()
        assert record
        return record, ran.stderr

    first, message = run()
    assert "(it can't be rebuilt: its code is unknown: tiny is neither in the project nor " in message
    assert (first.code.files, first.code.commit) == ({}, None)
    assert first.code.unknown
    second, message = run()
    assert second.outputs["total.metrics"].sha256 != first.outputs["total.metrics"].sha256
    assert first.recipe != second.recipe
    assert "; unknown: code\n" in message
    assert " inputs are the same" not in message
    shutil.copy(Tiny.make(tmp_path / "other").folder / "pyproject.toml", tiny.folder)
    shutil.copytree(elsewhere, tiny.folder / "src")
    shown = tiny.kedro("runs", "show", "last").stdout
    assert "code      unknown: tiny is neither in the project nor " in shown
    assert "unknown: code" in shown
    assert not re.search(r"code.* the same as in run", shown)
    assert "unknown: code" in (differences := tiny.kedro("runs", "diff", "last~1", "last").stdout)
    assert "code" not in differences.partition("the same: ")[2].partition("\n")[0]
    third = tiny.run(**MISSING)
    assert third.outputs.keys() == first.outputs.keys(), "now the code is known"
    assert third.drift
    assert third.drift.changed["code"] == {"commit": ("unknown", "not in git")}
    assert describe_changes([third]) == describe_changes([second]) == ["code: unknown"]


# --- Submodules and links


def test_code_in_a_submodule_cannot_be_restored(tiny: Tiny, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "--quiet")
    (other / "m.py").write_text("x = 1\n")
    git(other, "add", "m.py")
    git(other, "commit", "--quiet", "--message", "one")
    add = ("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "src/vendor")
    git(tiny.folder, *add)
    commit(tiny)
    ran = tiny.kedro("run")
    assert ran.returncode == 0, ran.stderr
    assert "(it can't be rebuilt: src/vendor is a submodule, " in ran.stderr
    assert "src/vendor/m.py" in tiny.ledger.find("last").code.files
    (tiny.folder / "src" / "vendor" / "m.py").write_text("x = 2\n")
    record = tiny.run(**MISSING)
    assert record.outputs.keys() == tiny.ledger.find("last~1").outputs.keys()
    ran = tiny.kedro("runs", "reproduce", "last")
    assert ran.returncode == 1
    assert "src/vendor is a submodule, " in ran.stderr.splitlines()[-1]


@pytest.mark.parametrize("place", ["shared", "../shared"])
def test_python_behind_a_link_is_code(tiny: Tiny, place: str) -> None:
    shared = tiny.folder / place
    shared.mkdir()
    (shared / "scale.py").write_text("TEN = 10\n")
    (shared / "large.bin").write_text("no code")
    (shared / "again").symlink_to(".")
    (tiny.folder / "src" / "shared").symlink_to(f"../{place}")
    commit(tiny)
    first = tiny.run()
    assert {name for name in first.code.files if "shared" in name} == {"src/shared/scale.py"}
    message = first.code.patch_left_out
    if place == "shared":
        expect_reproduced(tiny, first)
    else:
        assert message == "src/shared/scale.py is outside the repository, behind a link"
    (shared / "scale.py").write_text("TEN = 11\n")
    assert tiny.run(**MISSING).outputs.keys() == first.outputs.keys()


# --- Data and logs are not code


def test_a_dataset_in_the_sources_is_data(tiny: Tiny) -> None:
    catalog = tiny.folder / "conf/base/catalog.yml"
    text = catalog.read_text().replace("data/01_raw/raw.json", "src/tiny/data/raw.json")
    catalog.write_text(text.replace("data/04_total/total.json", "src/tiny/total.json"))
    raw = tiny.folder / "src/tiny/data/raw.json"
    raw.parent.mkdir()
    raw.write_text("[1, 2]")
    commit(tiny)
    first = tiny.run()
    assert {*first.code.files} == {
        f"src/tiny/{name}.py" for name in ("__init__", "pipeline_registry", "settings")
    }
    assert first.code.is_committed
    assert not first.code_changed_meanwhile, "the run's own outputs are not code"
    second = tiny.run()
    assert first.recipe == second.recipe
    assert second.code.is_committed
    expect_reproduced(tiny, second)
    raw.write_text("[5, 6]")
    third = tiny.run()
    assert third.drift
    assert third.drift.changed.keys() == {"data", "metrics"}
    raw.rename(raw.with_name("mine.json"))
    raw.write_text("[7, 8]")
    expect_reproduced(tiny, third)


@pytest.mark.parametrize("path", ["src/tiny/pipeline_registry.py", "src/tiny", "src"])
def test_a_dataset_that_contains_python_is_code(tiny: Tiny, path: str) -> None:
    catalog = tiny.folder / "conf/base/catalog.yml"
    entry = f"listing: {{type: partitions.PartitionedDataset, path: {path}, dataset: text.TextDataset}}\n"
    catalog.write_text(catalog.read_text() + entry)
    commit(tiny)
    first = tiny.run()
    change(tiny.folder / "src/tiny/pipeline_registry.py")
    second = tiny.run(**MISSING)
    assert second.outputs.keys() == first.outputs.keys()
    assert "number * factor * 10" in (second.code.patch or "")
    expect_reproduced(tiny, second)


def test_a_log_in_the_sources_is_not_code(tiny: Tiny) -> None:
    first = tiny.run()
    for name in ("info.log", "info.log.2026-01-01", "logs/errors.log.1"):
        (tiny.folder / "src/tiny" / name).parent.mkdir(exist_ok=True)
        (tiny.folder / "src/tiny" / name).write_text("a line\n")
    second = tiny.run()
    assert second.code.is_committed
    assert second.recipe == first.recipe


def test_records_do_not_grow_where_git_ignores_nothing(tiny: Tiny) -> None:
    """Neither outputs of runs, in `data` or elsewhere, nor logs are recorded."""
    (tiny.folder / ".gitignore").unlink()
    catalog = tiny.folder / "conf/base/catalog.yml"
    text = catalog.read_text().replace("data/02_numbers", "numbers").replace("data/03_scaled", "src/scaled")
    catalog.write_text(text.replace("data/04_total/total.json", "'results/[all] of them.json'"))
    commit(tiny)
    sizes = []
    for _ in range(9):
        ran = tiny.kedro("run")
        assert ran.returncode == 0, ran.stderr
        (tiny.folder / "logs").mkdir(exist_ok=True)
        with (tiny.folder / "logs" / "info.log").open("a") as log:
            log.write(ran.stderr * 100)
        record = tiny.ledger.find("last")
        assert record.code.is_committed, record.code.patch
        sizes.append(len(record.to_json()))
    assert max(sizes[1:]) <= sizes[1] + 100, sizes
    expect_reproduced(tiny, record)


# --- Files that are too large for a record


def test_a_large_untracked_file_is_named_and_not_copied(tiny: Tiny) -> None:
    (tiny.folder / "export.bin").write_bytes(bytes(2_000_000))
    (tiny.folder / "small.txt").write_text("small\n")
    ran = tiny.kedro("run")
    assert ran.returncode == 0
    assert "untracked files above 1 MB are not in the record: export.bin (2 MB)" in ran.stderr
    record = tiny.ledger.find("last")
    assert record.code.not_copied == ["export.bin (2 MB)"]
    assert "+small" in (record.code.patch or "")
    assert len(record.to_json()) < 50_000
    expect_reproduced(tiny, record)
    (tiny.folder / "small.txt").unlink()
    tiny.run()
    assert "*" in tiny.kedro("runs", "list").stdout.splitlines()[2], "the tree is not clean"


def test_a_large_untracked_file_in_the_sources_cannot_be_restored(tiny: Tiny) -> None:
    (tiny.folder / "src" / "tiny" / "weights.bin").write_bytes(bytes(2_000_000))
    ran = tiny.kedro("run")
    assert ran.returncode == 0
    assert (
        "(it can't be rebuilt: src/tiny/weights.bin is not in git, and too large to be recorded (2 MB)"
        in ran.stderr
    )


def test_the_record_for_a_rerun_can_be_read_by_the_code_of_any_commit(tiny: Tiny) -> None:
    """Write records of format 1, for reruns of old commits that contain the ledger in their sources."""
    record = tiny.run()
    old = record.model_copy(update={"format": 1}).to_json()
    for name in ("source_dir", "left_out", "unknown", "not_copied", "last_known"):
        assert f'"{name}"' in record.to_json()
        assert f'"{name}"' not in old
    expect_reproduced(tiny, tiny.run(**TOTALS))
