"""What README.md and docs say about pipelines, data and models is what the code and a run say."""

from __future__ import annotations

import re
import tomllib

import numpy as np
import pandas as pd
import pytest
from kedro.pipeline import Pipeline

from from_scratch.pipelines import data_processing, inference, reporting, stability, training
from from_scratch.pipelines.data_processing.splitting import shuffle
from from_scratch.schema.parameters import Split
from tests.support.project import RAW, ROOT, Project

README = (ROOT / "README.md").read_text("utf-8")
PIPELINES = (ROOT / "docs/pipelines.md").read_text("utf-8")
CARD = (ROOT / "docs/data-and-models.md").read_text("utf-8")
CARD_SENTENCES = " ".join(CARD.split())


def read_table(page: str, heading: str) -> list[list[str]]:
    """Read the cells of the first table with a cell `heading` in its first row."""
    lines = page.partition(f"| {heading} |")[2].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_the_readme_is_short() -> None:
    assert len(README.split()) <= 1000


def test_the_badges_are_true() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (kedro,) = re.findall(r"badge/kedro-([\d.]+)-", README)
    assert f"kedro~={kedro}.0" in project["dependencies"]
    (python,) = re.findall(r"badge/python-([\d.]+)\+-", README)
    assert project["requires-python"] == f">={python}"
    (licence,) = re.findall(r"badge/licence-(\S+?)-green", README)
    assert project["license"] == licence.replace("_", "-")
    workflows = re.findall(r"actions/workflows/([\w.]+?)(?:/badge\.svg)?\)", README)
    assert {*workflows} == {"ci.yml"}
    assert (ROOT / ".github/workflows/ci.yml").exists()


def test_the_index_names_every_page() -> None:
    index = (ROOT / "docs/README.md").read_text("utf-8")
    named = set(re.findall(r"\]\((\w[\w-]*\.md)\)", index))
    assert named == {page.name for page in (ROOT / "docs").glob("*.md")} - {"README.md"}


@pytest.mark.parametrize(
    ("heading", "pipeline"),
    [
        ("data_processing", data_processing.create_pipeline()),
        ("training", training.create_pipeline("deep")),
        ("reporting", reporting.create_pipeline(["deep"])),
        ("stability", stability.create_pipeline(["deep"], 1)),
        ("inference", inference.create_pipeline("deep")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_node_is_in_its_table_with_its_inputs_and_outputs(heading: str, pipeline: Pipeline) -> None:
    section = PIPELINES.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    stated = {
        row[0].strip("`"): [set(re.findall(r"`([^`]+)`", cell)) for cell in row[1:3]]
        for row in read_table(section, "node")
    }
    nodes = [node for node in pipeline.nodes if not node.name.endswith((".gather_data", ".gather_results"))]
    assert stated == {node.name.partition(".")[2]: [{*node.inputs}, {*node.outputs}] for node in nodes}


def test_the_readme_names_the_nodes_of_data_processing_and_training() -> None:
    section = README.partition("## The pipelines")[2].partition("\n## ")[0]
    for pipeline in (data_processing.create_pipeline(), training.create_pipeline("deep")):
        for node in pipeline.nodes:
            assert f"`{node.name.partition('.')[2]}`" in section


def test_the_card_says_what_is_missing() -> None:
    stated = {row[0].strip("`"): [int(count) for count in row[1:3]] for row in read_table(CARD, "column")}
    tables = [pd.read_csv(RAW / name) for name in ("train.csv", "test.csv")]
    missing = {name: [int(table[name].isna().sum()) for table in tables] for name in tables[1]}
    assert stated == {name: counts for name, counts in missing.items() if any(counts)}


def test_the_card_says_what_fitting_on_all_rows_leaks() -> None:
    rows = pd.read_csv(RAW / "train.csv")
    train, valid = split(rows)
    used = rows[["Age", "SibSp", "Parch", "Fare", "Sex", "Pclass", "Embarked"]]
    assert used.mode().iloc[0].equals(used.iloc[train].mode().iloc[0]), "the same fill values"
    greatest, greatest_train = used.iloc[:, :4].max(), used.iloc[train, :4].max()
    assert greatest[greatest != greatest_train].to_dict() == {"Age": 80}
    assert greatest_train["Age"] == 74
    assert "who is 80, is a validation row, and the oldest training row is 74" in CARD_SENTENCES
    shared = rows["Ticket"].iloc[valid].isin(rows["Ticket"].iloc[train]).sum()
    assert f"{shared} of the 178 validation passengers share a ticket number" in CARD_SENTENCES


def test_the_card_says_whom_the_models_are_wrong_for(article_run: Project) -> None:
    rows = article_run.load("checked_data")
    train, valid = split(rows)
    answers = rows[["Sex", "Pclass", "Age", "Survived"]].copy()
    for variant in ("deep", "logistic"):
        scores = np.empty(len(rows))
        predictions = article_run.load(f"{variant}.predictions")
        scores[train], scores[valid] = predictions["train"], predictions["valid"]
        answers[variant] = scores > 0.5
    validation = answers.iloc[valid]
    for group, *stated in read_table(CARD, "group"):
        people = validation[select(group, validation)]
        counts = [len(people), people["Survived"].sum()]
        for variant in ("deep", "logistic"):
            counts += [
                ((people["Survived"] == 1) & ~people[variant]).sum(),
                ((people["Survived"] == 0) & people[variant]).sum(),
            ]
        assert [int(cell) for cell in stated] == counts, group

    men = answers[answers["Sex"] == "male"]
    assert not men["deep"].any()
    assert f'"died" for every one of the {len(men)} men' in CARD_SENTENCES
    assert f"of whom {men['Survived'].sum()} survived" in CARD_SENTENCES
    boys = men[men["Age"] < 16]
    missed = ((boys["Survived"] == 1) & ~boys["logistic"]).sum()
    assert f"{boys['Survived'].sum()} of the {len(boys)} boys under 16 survived" in CARD_SENTENCES
    assert f"`deep` misses all of them, `logistic` {missed}" in CARD_SENTENCES
    women = answers[select("women, 3rd class", answers)]
    counts = [women[variant].sum() for variant in ("deep", "logistic")]
    stated_counts = '`deep` predicts "survived" for {}, and `logistic` for {}.'.format(*counts)
    assert f"Half of the {len(women)} survived. {stated_counts}" in CARD_SENTENCES


def split(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Split rows as a run does: the numbers of the training rows, and of the validation rows."""
    train, valid = shuffle(rows["Survived"].to_numpy(bool), Split(seed=42, validation_fraction=0.2))
    return train.numpy(), valid.numpy()


def select(group: str, people: pd.DataFrame) -> pd.Series:
    """Select the rows of a group by its name in the card."""
    ages = {
        "under 16": people["Age"] < 16,
        "16 and older": people["Age"] >= 16,
        "age unknown": people["Age"].isna(),
    }
    if group in ages:
        return ages[group]
    sex, ticket = group.split(", ")
    return (people["Sex"] == {"women": "female", "men": "male"}[sex]) & (people["Pclass"] == int(ticket[0]))
