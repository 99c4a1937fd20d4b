"""New passengers are predicted with the variant of a committed run."""

from __future__ import annotations

import runpy
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from from_scratch.article import VARIANTS as ARTICLE
from from_scratch.pipelines.inference.nodes import predict_new
from from_scratch.schema.parameters import Variant
from kedro_ledger.errors import InputError
from kedro_ledger.ledger import Ledger
from tests.from_scratch.pipelines.data_processing.conftest import FEATURES
from tests.support.project import RAW, ROOT, Project

METRICS = {
    "source": "own",
    "model": "linear",
    "train_rows": 20,
    "train_positives": 8,
    "valid_rows": 10,
    "valid_positives": 4,
    "valid_accuracy": 0.9,
    "valid_accuracy_low": 0.8,
    "majority_accuracy": 0.6,
}
ONE = "PassengerId,Pclass,Sex,Age,SibSp,Parch,Fare,Embarked\n7,3,female,,0,0,8,S\n"


def copied(run: Project, folder: Path, test_csv: str | None = None) -> Project:
    """Copy a project, with Kaggle's 418 test passengers or others."""
    project = Project(shutil.copytree(run.folder, folder / "project"))
    if test_csv:
        (project.folder / "data" / "01_raw" / "test.csv").write_text(test_csv)
    return project


def answer_plainly(monkeypatch: pytest.MonkeyPatch) -> dict[str, pd.DataFrame]:
    """Train and predict as the article does, in a plain script without the project's code."""
    monkeypatch.setattr(sys, "argv", ["plain_script.py", str(RAW / "train.csv")])
    plain = runpy.run_path(str(ROOT / "benchmarks" / "plain_script.py"))
    new = pd.read_csv(RAW / "test.csv")
    filled = new.fillna(plain["modes"])
    filled["LogFare"] = np.log(filled["Fare"] + 1)
    filled = pd.get_dummies(filled, columns=["Sex", "Pclass", "Embarked"])
    x = torch.tensor(filled[plain["COLUMNS"].split()].to_numpy(float), dtype=torch.float) / plain["maxima"]
    answers = {}
    with torch.no_grad():
        for name, (predict, coefficients) in plain["fitted"].items():
            survived = (predict(x, *coefficients) > 0.5).int().numpy()
            answers[name] = pd.DataFrame({"PassengerId": new["PassengerId"], "Survived": survived})
    return answers


@pytest.mark.slow
def test_the_418_answers_are_those_of_a_plain_script(
    article_run: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = copied(article_run, tmp_path)
    before = Ledger(project.folder).records()
    plain = answer_plainly(monkeypatch)
    assert tuple(plain) == ARTICLE
    for variant in ARTICLE:
        ran = project.run("--pipeline", "inference", "--params", f"inference.variant={variant}")
        assert f"{variant}, trained on train.csv, predicts 418 rows:\nSurvived is 0 for" in ran.stdout
        last = Ledger(project.folder).last()
        assert last
        assert all(node.startswith("inference.") for node in last.nodes), "nothing is trained"
        file = Path(project.kedro("runs", "path", "submission").stdout.strip())
        assert file.read_text() == plain[variant].to_csv(index=False, lineterminator="\n")
        predicted = project.load("new_predictions")
        assert predicted.columns.tolist() == ["PassengerId", "score"]
        assert ((predicted["score"] > 0.5) == plain[variant]["Survived"]).all()
    records = Ledger(project.folder).records()
    assert records[: len(before)] == before
    assert set(records[-1].outputs) == {"submission", "new_predictions"}


def test_it_predicts_one_row_without_a_target(article_run: Project, tmp_path: Path) -> None:
    project = copied(article_run, tmp_path, ONE)
    ran = project.run("--pipeline", "inference", "--params", "inference.variant=sigmoid")
    (row,) = project.load("submission").to_dict("records")
    assert row["PassengerId"] == 7
    assert row["Survived"] in (0, 1)
    assert (
        f"sigmoid, trained on train.csv, predicts 1 row:\nSurvived is {row['Survived']} for 1." in ran.stdout
    )


def test_a_category_that_training_has_not_seen(article_run: Project, tmp_path: Path) -> None:
    project = copied(article_run, tmp_path, ONE.replace(",S\n", ",X\n"))
    before = Ledger(project.folder).records()
    ran = project.kedro("run", "--pipeline", "inference")
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-2] == (
        "Error: test.csv: column Embarked has 'X' in row 1; expected one of 'C', 'Q', 'S'. "
        "Set inference.unseen_categories: none_of_them to accept other values "
        "(in inference.ingest_new)"
    )
    assert Ledger(project.folder).records() == before
    ran = project.run("--pipeline", "inference", "--params", "inference.unseen_categories=none_of_them")
    assert "test.csv: column Embarked has 'X' in 1 of 1 rows, but in no training row" in ran.stderr
    assert len(project.load("submission")) == 1


@pytest.mark.slow
def test_derived_features_work_for_new_rows_too(article_run: Project, tmp_path: Path) -> None:
    """Each kind of derived column, as in conf/knowledge."""
    project = copied(article_run, tmp_path)
    ran = project.kedro("run", "--env", "knowledge", "--pipeline", "inference")
    assert ran.stderr.splitlines()[-1].startswith("Error: value_counts: no")

    ran = project.run("--env", "knowledge")
    assert "ignored" not in ran.stderr
    rows, counts = project.load("checked_data"), project.load("value_counts")["Ticket"]
    assert rows["Title"].value_counts().to_dict() == {
        **{"Mr": 517, "Miss": 185, "Mrs": 126, "Master": 40},
        "rare": 23,
    }
    assert (rows["FamilySize"] == rows["SibSp"] + rows["Parch"] + 1).all()
    assert (rows["HasCabin"] == rows["Cabin"].notna()).all()
    assert rows["TicketMates"].tolist() == [counts[ticket] for ticket in rows["Ticket"]]
    assert "Title_Master" in project.load("report")
    assert "TicketMates" in project.load("named_coefficients")["feature"].tolist()

    project.run("--env", "knowledge", "--pipeline", "inference", "--runner", "ParallelRunner")
    assert project.load("submission")["Survived"].value_counts().between(100, 318).all()
    predicted = project.load("new_predictions")
    assert len(predicted) == 418
    new = pd.read_csv(RAW / "test.csv", dtype=str)
    alone = int(np.flatnonzero(new["Ticket"].duplicated(keep=False))[0])
    new.iloc[[alone]].to_csv(project.folder / "data" / "01_raw" / "test.csv", index=False)
    project.run("--env", "knowledge", "--pipeline", "inference")
    (row,) = project.load("new_predictions").to_dict("records")
    assert row == pytest.approx(predicted.iloc[alone].to_dict()), "new rows don't count each other"


@pytest.mark.parametrize(
    ("parameters", "line"),
    [
        (
            "variants.deep.hidden=[5]",
            "the coefficients do not fit model deep with hidden [5]; expected the parameters",
        ),
        (
            "inference.variant=linear,variants.linear.model=sigmoid",
            "the coefficients do not fit model sigmoid with",
        ),
        ("features.target.column=Name,features.ignore=", "the training run has no categories of Name; "),
        (
            "features.target.positive=0",
            "parameter features.target.positive is 0, but '1' in the training run; expected",
        ),
        (
            "features.log=",
            "the features differ from those of the training run in LogFare; expected",
        ),
    ],
)
def test_other_parameters_than_in_training_are_reported(
    parameters: str, line: str, article_run: Project, tmp_path: Path
) -> None:
    project = copied(article_run, tmp_path, ONE)
    block: dict[str, Any] = {}
    for parameter in parameters.split(","):
        name, _, value = parameter.partition("=")
        *parents, last = name.split(".")
        inner = block
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[last] = yaml.safe_load(value or "[]")
    project.configure("parameters.yml", yaml.safe_dump(block))
    before = Ledger(project.folder).records()
    ran = project.kedro("run", "--pipeline", "inference")
    assert ran.returncode == 1
    assert ": made with another value of " in ran.stderr.splitlines()[0]
    ran = project.kedro("run", "--pipeline", "inference", "--allow-mixed")
    assert ran.returncode == 1
    assert f"Error: {line}" in ran.stderr or f"Error: parameter features: {line}" in ran.stderr
    assert Ledger(project.folder).records() == before


def test_a_variant_no_better_than_the_baseline_is_reported(article_run: Project, tmp_path: Path) -> None:
    project, barely_trained = copied(article_run, tmp_path, ONE), ("--params", "variants.deep.epochs=1")
    project.run("--pipeline", "deep", *barely_trained)
    ran = project.run("--pipeline", "inference", *barely_trained)
    reached = project.load("deep.metrics")
    assert f"{reached['valid_accuracy']:.4f}, is not clearly above the baseline, " in ran.stderr
    assert f"{reached['majority_accuracy']:.4f}; choose another" in ran.stderr


def test_without_a_trained_run_there_is_no_answer(project: Project) -> None:
    (project.folder / "data" / "01_raw" / "test.csv").write_text(ONE)
    ran = project.kedro("run", "--pipeline", "inference")
    assert ran.returncode == 1
    assert ran.stderr.startswith(
        "Error: categories, deep.coefficients and 3 more: not made yet. Run `kedro run` "
    )


def test_without_an_identifier_rows_are_counted() -> None:
    new = pd.DataFrame({"Age": [1.0, 2.0]})
    predicted = predict_new(
        {"weights": torch.tensor([0.25])},
        METRICS,
        {"independent": torch.tensor([[1.0], [2.0]])},
        new,
        FEATURES,
        Variant(model="linear", seed=1, learning_rate=1, epochs=1),
        threads=1,
        precision="float32",
    )
    assert predicted.to_dict("list") == {"row": [1, 2], "score": [0.25, 0.5]}


@pytest.mark.parametrize(("positives", "warns"), [(8, True), (1, False)])
def test_the_predicting_variant_is_judged_by_roc_auc_if_positives_are_rare(
    caplog: pytest.LogCaptureFixture, positives: int, warns: bool
) -> None:
    metrics = METRICS | {"train_positives": positives, "valid_positives": 1, "valid_accuracy_low": 0.5}
    with caplog.at_level("WARNING"):
        predict_new(
            {"weights": torch.tensor([0.25])},
            metrics | {"valid_roc_auc": 0.9, "valid_roc_auc_low": 0.7},
            {"independent": torch.tensor([[1.0]])},
            pd.DataFrame({"Age": [1.0]}),
            FEATURES,
            Variant(model="linear", seed=1, learning_rate=1, epochs=1),
            threads=1,
            precision="float32",
        )
    assert bool(caplog.records) == warns


def test_predictions_that_are_not_finite_are_reported() -> None:
    with pytest.raises(InputError, match="model linear predicts inf for a row; expected a finite number"):
        predict_new(
            {"weights": torch.tensor([3e38])},
            METRICS,
            {"independent": torch.tensor([[3e38]])},
            pd.DataFrame({"Age": [1.0]}),
            FEATURES,
            Variant(model="linear", seed=1, learning_rate=1, epochs=1),
            threads=1,
            precision="float32",
        )
