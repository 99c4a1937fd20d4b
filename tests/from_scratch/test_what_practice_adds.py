"""The numbers in docs/what-practice-adds.md and docs/stability.md are what their commands print."""

from __future__ import annotations

import re
import shlex

import pytest

from from_scratch.pipelines.data_processing.nodes import ingest
from from_scratch.pipelines.stability.nodes import prepare_splits, train_seeds
from from_scratch.schema.features import Features
from from_scratch.schema.parameters import Split, Stability, Variant
from tests.from_scratch.test_against_scikit_learn import make_rare
from tests.support.project import ROOT, MakeProject

PAGES = {name: (ROOT / "docs" / f"{name}.md").read_text() for name in ("what-practice-adds", "stability")}
COMMANDS = {
    "kedro run --pipeline stability": ["what-practice-adds", "stability"],
    "kedro run --env ablation --pipeline stability": ["what-practice-adds"],
    "kedro run --env knowledge --pipeline stability": ["what-practice-adds"],
}


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_the_tables_are_what_the_command_prints(command: str, make_project: MakeProject) -> None:
    printed = make_project().run(*shlex.split(command)[2:]).stdout
    rows = re.findall(r"^ *\w+ +0\.\d{4} .*%.*$", printed, re.MULTILINE)
    reference = re.search(r"points against \w+", printed)
    assert reference
    for name in COMMANDS[command]:
        page = PAGES[name]
        assert command in page
        blocks = re.findall(r"^```\w*\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
        tables = [block for block in blocks if "at baseline" in block]
        matching = [table for table in tables if all(words(row) in words(table) for row in rows)]
        assert len(matching) == 1, f"{name}.md does not contain the table of {command}: {printed}"
        assert reference[0] in matching[0]
        for sentence in matching[0].split("\n\n")[3:]:
            assert words(sentence) in words(printed)


@pytest.mark.parametrize(("loss", "trained"), [("absolute_error", 0), ("cross_entropy", 20)])
def test_the_loss_decides_where_few_rows_are_positive(loss: str, trained: int) -> None:
    rows = make_rare(0.05, with_categories=False)
    features = Features.model_validate(
        {
            "target": {"column": "positive", "positive": "yes"},
            "continuous": [name for name in rows if name != "positive"],
            "normalisation": "deviation",
            "fit_on": "train",
        }
    )
    split, study = Split(seed=42, validation_fraction=0.2), Stability(seeds=20, splits=2)
    first, _ = prepare_splits(ingest(rows, features, split)[0], features, split, study)
    variant = Variant(model="sigmoid", seed=1, learning_rate=1, epochs=100, constants="unit")
    runs = train_seeds(first, variant.model_copy(update={"loss": loss}), study, threads=1)
    assert (runs["valid_accuracy"] > runs["majority_accuracy"]).sum() == trained
