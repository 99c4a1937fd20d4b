"""scikit-learn as the referee: of the preprocessing, and of a logistic regression on data of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import MaxAbsScaler, OneHotEncoder, StandardScaler

from from_scratch.pipelines.data_processing import nodes
from from_scratch.pipelines.data_processing.splitting import select_fitting
from from_scratch.schema.features import Features
from from_scratch.schema.parameters import Split
from tests.support.project import RAW, ROOT, MakeProject, Project

TITANIC: dict[str, Any] = yaml.safe_load((ROOT / "conf" / "base" / "parameters.yml").read_text())["features"]
NUMBERS, CATEGORICAL = ["Age", "SibSp", "Parch", "Fare"], ["Sex", "Pclass", "Embarked"]
SPLIT = Split(seed=42, validation_fraction=0.2)


@pytest.mark.parametrize("fit_on", ["all", "train"])
@pytest.mark.parametrize(
    ("normalisation", "scaler"), [("maximum", MaxAbsScaler), ("deviation", StandardScaler)]
)
@pytest.mark.parametrize("fill", ["most_frequent", "median", "mean"])
def test_preprocessing(fit_on: str, normalisation: str, scaler: Callable[[], Any], fill: str) -> None:
    ours_fill = {"most_frequent": "mode"}.get(fill, fill)
    features = Features.model_validate(
        TITANIC
        | {
            "fit_on": fit_on,
            "normalisation": normalisation,
            "continuous": [{"column": column, "fill": ours_fill} for column in NUMBERS[:3]],
            "log": [{"column": "Fare", "fill": ours_fill}],
        }
    )
    passengers = pd.read_csv(RAW / "train.csv")
    fill_values = nodes.compute_fill_values(passengers, features, SPLIT)
    imputed = nodes.impute(passengers, fill_values)
    categories = nodes.learn_categories(imputed, features, SPLIT)
    encoded = nodes.one_hot_encode(imputed, features, categories)
    scales = nodes.compute_scales(encoded, features, SPLIT)
    independent = nodes.make_model_input(encoded, scales, imputed, features)["independent"].numpy()

    fitting = select_fitting(passengers, features, SPLIT).index
    numbers, words = SimpleImputer(strategy=fill), SimpleImputer(strategy="most_frequent")
    numbers.fit(passengers.loc[fitting, NUMBERS])
    words.fit(passengers.loc[fitting, CATEGORICAL].astype(object))
    filled = numbers.transform(passengers[NUMBERS])
    filled[:, 3] = np.log1p(filled[:, 3])
    scaled = scaler().fit(filled[fitting]).transform(filled)
    encoder = OneHotEncoder(categories=[one.categories for one in features.categorical], sparse_output=False)
    dummies = encoder.fit_transform(words.transform(passengers[CATEGORICAL].astype(object)))
    np.testing.assert_allclose(independent, np.hstack([scaled, dummies]), rtol=1e-5, atol=1e-6)


def test_learnt_categories_are_those_of_the_encoder() -> None:
    passengers = pd.read_csv(RAW / "train.csv")
    features = Features.model_validate(TITANIC | {"categorical": CATEGORICAL})
    imputed = nodes.impute(passengers, nodes.compute_fill_values(passengers, features, SPLIT))
    ours = nodes.learn_categories(imputed, features, SPLIT)
    theirs = OneHotEncoder().fit(imputed[CATEGORICAL]).categories_
    assert [ours[column] for column in CATEGORICAL] == [list(map(str, categories)) for categories in theirs]


def run_through_configuration(project: Project, rows: pd.DataFrame, features: dict[str, Any]) -> None:
    """Write a CSV and an environment for it, and run all variants that have no hidden layer."""
    environment = project.folder / "conf" / "own"
    environment.mkdir()
    rows.to_csv(project.folder / "data" / "01_raw" / "own.csv", index=False)
    own = {"type": "from_scratch.datasets.RawCSVDataset", "filepath": "data/01_raw/own.csv"}
    (environment / "catalog.yml").write_text(yaml.safe_dump({"raw_data": own}))
    training = {"learning_rate": 5, "epochs": 300}
    parameters = {"features": features, "variants": {"sigmoid": training, "matmul": training}}
    (environment / "parameters.yml").write_text(yaml.safe_dump(parameters))
    project.run("--env", "own", "--pipeline", "sigmoid")
    project.run("--env", "own", "--pipeline", "matmul")


@pytest.mark.matrix
@pytest.mark.parametrize("which", ["breast cancer", "wine"])
def test_logistic_regression(which: str, make_project: MakeProject) -> None:
    bunch = {"breast cancer": load_breast_cancer, "wine": load_wine}[which](as_frame=True)
    rows, target = bunch.data.copy(), bunch.target
    positive: Any = 1
    if which == "wine":
        target, positive = (target == 1).map({True: "yes", False: "no"}), "yes"
    rows["what it is"] = target
    project = make_project()
    block = {
        "identifier": None,
        "target": {"column": "what it is", "positive": positive},
        "continuous": list(bunch.data.columns),
        "log": [],
        "categorical": [],
        "ignore": [],
        "normalisation": "deviation",
        "fit_on": "train",
    }
    run_through_configuration(project, rows, block)

    train, valid = project.load("train"), project.load("valid")
    together = torch.cat([train["dependent"], valid["dependent"]])
    assert together.sum() == (rows["what it is"] == positive).sum()
    referee = LogisticRegression(max_iter=10_000).fit(train["independent"], train["dependent"])
    theirs = referee.score(valid["independent"], valid["dependent"])
    for variant in ("sigmoid", "matmul"):
        ours = project.load(f"{variant}.metrics")["valid_accuracy"]
        assert theirs > 0.95
        assert ours > theirs - 0.04, f"{variant} reaches {ours:.4f}, scikit-learn {theirs:.4f}"
