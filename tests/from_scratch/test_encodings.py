"""Runs write UTF-8, and every command works, in any locale."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.project import MakeProject, Project

ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
NAME = "größe"
TEXT = "id,größe,Straße,Antwort\n" + "".join(
    f"{i},{i * 7 % 31},{'Fünf' if i % 3 else 'Čtyři'},{'jä' if i * 5 % 7 < 3 else 'nö'}\n" for i in range(60)
)


def kedro(project: Project, *arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a `kedro` command, and return its output as bytes."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("KEDRO_", "LC_"))}
    command = [sys.executable, "-m", "kedro", *arguments]
    return subprocess.run(
        command, cwd=project.folder, env=inherited | environment, capture_output=True, timeout=120
    )


@pytest.fixture(scope="module")
def latin_1(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A locale with ISO-8859-1. In CI, where REQUIRE_LOCALES is set, a missing locale is a failure."""
    folder = tmp_path_factory.mktemp("locales")
    if not (shutil.which("localedef") and Path("/usr/share/i18n/charmaps/ISO-8859-1.gz").exists()):
        missing = "sources of locales are not installed: apt-get install locales"
        if os.environ.get("REQUIRE_LOCALES"):
            pytest.fail(missing)
        pytest.skip(missing)
    made = ["localedef", "-i", "de_DE", "-f", "ISO-8859-1", str(folder / "latin_1")]
    subprocess.run(made, check=True, capture_output=True)
    environment = {"LOCPATH": str(folder), "LC_ALL": "latin_1", "PYTHONUTF8": "0"}
    command = [sys.executable, "-c", "import locale; print(locale.getencoding())"]
    result = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=True)
    assert result.stdout == "ISO-8859-1\n"
    return environment


@pytest.fixture(scope="module")
def utf_8(make_project: MakeProject) -> Project:
    """A project whose columns, categories and answers have umlauts, after a run of everything."""
    project = make_project()
    (project.folder / "data" / "01_raw" / "eigene.csv").write_text(TEXT, encoding="utf-8")
    (project.folder / "conf" / "eigene").mkdir()
    features = {
        "identifier": "id",
        "target": {"column": "Antwort", "positive": "jä"},
        "continuous": [NAME],
        "log": [],
        "categorical": ["Straße"],
        "ignore": [],
        "normalisation": "deviation",
        "fit_on": "train",
    }
    entry = {"type": "from_scratch.datasets.RawCSVDataset", "filepath": "data/01_raw/eigene.csv"}
    for name, content in (
        ("parameters", {"features": features}),
        ("catalog", {"raw_data": entry, "new_data": entry}),
    ):
        file = project.folder / "conf" / "eigene" / f"{name}.yml"
        file.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    ran = kedro(project, "run", "--env", "eigene", LC_ALL="C.UTF-8")
    assert ran.returncode == 0, ran.stderr.decode()
    return project


@pytest.fixture(params=["ASCII", "ISO-8859-1"])
def locale(request: pytest.FixtureRequest) -> dict[str, str]:
    """Return the environment variables that select a locale."""
    chosen: dict[str, str] = ASCII if request.param == "ASCII" else request.getfixturevalue("latin_1")
    return chosen


@pytest.mark.slow
def test_runs_write_the_same_bytes_in_any_locale(utf_8: Project, locale: dict[str, str]) -> None:
    expected = utf_8.artefacts()
    for arguments in (["--env", "eigene"], ["--env", "eigene", "--runner", "ParallelRunner"]):
        ran = kedro(utf_8, "run", *arguments, **locale)
        assert ran.returncode == 0, ran.stderr
        assert ran.stderr.splitlines()[-2].startswith(b"inputs and results are the same as in run ")
        assert utf_8.artefacts() == expected


@pytest.mark.slow
def test_all_commands_work_in_any_locale(utf_8: Project, locale: dict[str, str], tmp_path: Path) -> None:
    page = tmp_path / "history.html"
    for command in (
        "run --env eigene --pipeline inference",
        "runs list",
        "runs show last",
        "runs diff last~1 last",
        "runs history",
        f"runs history --html {page}",
        "runs path report",
        "runs verify",
        "viz build --include-previews",
    ):
        ran = kedro(utf_8, *command.split(), **locale)
        assert ran.returncode == 0, (command, ran.stderr)
        assert b"Error" not in ran.stderr
    assert "valid_accuracy" in page.read_text(encoding="utf-8")
    assert NAME in "".join(
        file.read_text(encoding="utf-8") for file in (utf_8.folder / "build/api/nodes").iterdir()
    )


@pytest.mark.matrix
def test_errors_and_logs_are_complete_in_any_locale(utf_8: Project, locale: dict[str, str]) -> None:
    file = utf_8.folder / "data" / "01_raw" / "eigene.csv"
    file.write_text(TEXT.replace("\n2,14,", "\n2,→,"), encoding="utf-8")
    try:
        ran = kedro(utf_8, "run", "--env", "eigene", **locale)
    finally:
        file.write_text(TEXT, encoding="utf-8")
    assert ran.returncode == 1
    output = ran.stderr.decode("latin-1").replace(r"\xf6", "ö").replace(r"\xdf", "ß")
    assert "Error: eigene.csv: column größe has '\\u2192' in row 3; expected a number" in output
    log = (utf_8.folder / "kedro.log").read_text(encoding="utf-8")
    assert "InputError: eigene.csv: column größe has '→' in row 3; expected a number" in log


@pytest.mark.matrix
def test_what_suggest_prints_can_be_read_as_configuration(utf_8: Project, locale: dict[str, str]) -> None:
    result = kedro(utf_8, "features", "suggest", "data/01_raw/eigene.csv", "--target", "Antwort", **locale)
    assert result.returncode == 0, result.stderr
    block = yaml.safe_load(result.stdout.decode())["features"]
    assert block["continuous"] == [NAME]
    assert block["categorical"] == [{"column": "Straße", "categories": ["Fünf", "Čtyři"]}]


@pytest.mark.slow
def test_no_file_is_opened_in_the_encoding_of_the_locale(article_run: Project, tmp_path: Path) -> None:
    lines = []
    for command in ("run", "runs list", f"runs history --html {tmp_path / 'history.html'}", "runs show last"):
        variables = {"PYTHONWARNDEFAULTENCODING": "1", "PYTHONWARNINGS": "always::EncodingWarning"}
        lines += kedro(article_run, *command.split(), **variables).stderr.decode().splitlines()
    warnings = [line for line in lines if "EncodingWarning" in line]
    assert warnings, "torch has one"
    assert not [line for line in warnings if re.search("from_scratch|fsspec|pandas|kedro", line)]


@pytest.mark.slow
def test_a_console_without_characters_is_not_an_error(utf_8: Project) -> None:
    for command in ("runs history", "runs show last", "run --env eigene --pipeline inference"):
        ran = kedro(utf_8, *command.split(), PYTHONIOENCODING="ascii")
        assert ran.returncode == 0, ran.stderr
        assert ran.stdout.isascii()
    assert rb"\xf6 for " in ran.stdout
