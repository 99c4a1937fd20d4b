"""The Makefile, the workflow and the pre-commit hooks agree with each other and with the documentation."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
DOCUMENTS = sorted(file.relative_to(ROOT) for file in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")))
PROSE = [file for folder in ("src", "conf", "deploy", "docs") for file in (ROOT / folder).rglob("*.*")]
REPLACED = {
    "rows that (train|validate)\\b": "training rows, validation rows",
    "h[eo]ld against": "compare with",
    "is no (regular|valid)": "is not a",
    ": expected [a-z]": "; expected",
    "at majority": "at baseline",
    "anew|but for|whoever": "again, except, anyone who",
}
"""Phrases that the project avoids, and what it writes instead."""
WORKFLOW: dict[Any, Any] = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())


def commands(job: str) -> list[str]:
    return [step["run"] for step in WORKFLOW["jobs"][job]["steps"] if "run" in step]


@pytest.mark.parametrize("file", [Path(".ci/run"), *DOCUMENTS], ids=str)
def test_every_make_target_in_a_document_exists(file: Path) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    named = re.findall(r"(?:`|^\$ |^)make ((?:[a-z-]+ ?)+)", text, re.MULTILINE)
    assert {target for targets in named for target in targets.split()} <= TARGETS


@pytest.mark.parametrize("phrase", REPLACED)
def test_one_word_is_used_for_one_thing(phrase: str) -> None:
    texts = {
        file: file.read_text("utf-8") for file in PROSE if file.suffix in (".py", ".md", ".yml", ".html")
    }
    texts |= {ROOT / name: (ROOT / name).read_text("utf-8") for name in DOCUMENTS}
    found = [
        file
        for file, text in texts.items()
        if re.search(rf"\b({phrase})" if phrase[0].isalpha() else phrase, text)
    ]
    assert not found, f"write: {REPLACED[phrase]}"


def test_the_workflow_runs_the_commands_of_the_readme() -> None:
    assert commands("test") == ["make run", "make test"]
    assert {"make test-all", "make coverage"} <= set(commands("test-all"))
    assert "'schedule'" in WORKFLOW["jobs"]["test-all"]["if"]
    assert {"push", "pull_request", "schedule"} <= WORKFLOW[True].keys()  # YAML reads `on` as true
    assert WORKFLOW["permissions"] == {"contents": "read"}


def test_the_workflow_runs_the_oldest_python_that_we_support() -> None:
    pythons = WORKFLOW["jobs"]["test"]["strategy"]["matrix"]["python"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == f">={pythons[0]}"
    assert len(pythons) == 2


def test_every_pre_commit_hook_runs_an_installed_program() -> None:
    programs = {hook["id"]: shlex.split(hook["entry"])[0] for hook in hooks()}
    assert programs.keys() == {"ruff-check", "ruff-format", "mypy", "clean-notebook"}
    for program in programs.values():
        assert program.startswith(".venv/bin/")
        assert Path(sys.executable).with_name(Path(program).name).exists()


def test_pre_commit_removes_editor_metadata_from_notebooks_but_no_output(tmp_path: Path) -> None:
    (clean,) = (ROOT / "notebooks").glob("*.ipynb")
    notebook = json.loads(clean.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["metadata"] = {"editable": True}
    notebook["metadata"]["language_info"] = {"name": "python"}
    file = tmp_path / clean.name
    file.write_text(json.dumps(notebook), encoding="utf-8")
    (entry,) = [hook["entry"] for hook in hooks() if hook["id"] == "clean-notebook"]
    program, *arguments = shlex.split(entry)
    program = str(Path(sys.executable).with_name(Path(program).name))
    subprocess.run([program, *arguments, str(file)], check=True, capture_output=True)
    assert json.loads(file.read_text(encoding="utf-8")) == json.loads(clean.read_text(encoding="utf-8"))


def hooks() -> list[dict[str, Any]]:
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    found: list[dict[str, Any]] = repository["hooks"]
    return found
