"""docs/your-own-data.md, followed to the letter."""

from __future__ import annotations

import re
import shlex
import shutil

import yaml

from tests.conftest import ROOT, Project
from tests.pipelines.inference.test_inference import ONE

PAGE = (ROOT / "docs" / "your-own-data.md").read_text()
BLOCKS: list[tuple[str, str]] = re.findall(r"```(\w*)\n(.*?)```", PAGE, re.DOTALL)


def test_the_walk_through_a_csv_of_another_kind(project: Project) -> None:
    example, suggest, suggested, parameters, catalog, run, new_rows, infer = (text for _, text in BLOCKS[:8])
    (project.folder / "docs").mkdir()
    bikes = project.folder / "docs" / "bikes.csv"
    shutil.copy(ROOT / "docs" / "bikes.csv", bikes)
    assert bikes.read_text().startswith(example)

    environment = project.folder / "conf" / "bikes"
    environment.mkdir()
    command = re.findall(r"\$ kedro (.*) > conf/bikes/parameters.yml\n", suggest)[0]
    said = project.kedro(*shlex.split(command))
    assert said.returncode == 0, said.stderr
    assert said.stdout.endswith(suggested)

    (environment / "catalog.yml").write_text(catalog)
    for block in (said.stdout, parameters):
        (environment / "parameters.yml").write_text(block)
        ran = project.run(*shlex.split(run.removeprefix("$ kedro run ")))
        assert "source: own" in ran.stdout
    features = project.load("features")
    assert [name for name in features if name not in ("gears", "age", "Logprice")] == [
        *("kind_cargo", "kind_city", "kind_road"),
        *("repairs_brakes", "repairs_chain", "repairs_none", "repairs_unknown"),
    ]
    metrics = project.load("sigmoid.metrics")
    assert metrics["valid_accuracy"] > metrics["majority_accuracy"]
    assert "whose sold is yes" in project.load("report")

    (project.folder / "data" / "01_raw" / "new_bikes.csv").write_text(new_rows)
    ran = project.run(*shlex.split(infer.removeprefix("$ kedro run ")))
    answers = project.load("submission")
    assert answers["ad"].tolist() == ["N1", "N2", "N3"]
    assert answers["sold"].tolist()[:2] == ["yes", "no"], "a cheap one, and a dear one that needs repairs"

    before = project.artefacts()
    (project.folder / "data" / "01_raw" / "test.csv").write_text(ONE)
    ran = project.kedro("run", "--pipeline", "inference")
    assert ran.returncode == 1
    assert "the run that trained had no categories of Sex, Pclass, Embarked" in ran.stderr
    assert project.artefacts() == before


def test_the_page_names_every_parameter() -> None:
    block = yaml.safe_load((ROOT / "conf" / "base" / "parameters.yml").read_text())["features"]
    assert all(f"| `{name}` |" in PAGE for name in block)
