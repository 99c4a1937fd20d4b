"""scikit-learn as the referee for the preprocessing, and for logistic regression on other data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import MaxAbsScaler, OneHotEncoder, StandardScaler

from from_scratch.pipelines.data_processing import nodes
from from_scratch.pipelines.data_processing.splitting import select_fitting
from from_scratch.pipelines.stability.nodes import prepare_splits
from from_scratch.schema.features import Features
from from_scratch.schema.parameters import Split, Stability
from tests.support.project import RAW, ROOT, MakeProject

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
    scales = nodes.compute_scales(encoded, imputed, features, SPLIT)
    independent = nodes.make_model_input(encoded, scales, imputed, features)["independent"].numpy()

    fitting = select_fitting(passengers, features, SPLIT).index
    numbers, words = SimpleImputer(strategy=fill), SimpleImputer(strategy="most_frequent")
    numbers.fit(passengers.loc[fitting, NUMBERS])
    words.fit(passengers.loc[fitting, CATEGORICAL].astype(object))
    filled = numbers.transform(passengers[NUMBERS])
    filled[:, 3] = np.log1p(filled[:, 3])
    scaled = scaler().fit(filled[fitting]).transform(filled)
    encoder = OneHotEncoder(
        categories=[column.categories for column in features.categorical], sparse_output=False
    )
    dummies = encoder.fit_transform(words.transform(passengers[CATEGORICAL].astype(object)))
    np.testing.assert_allclose(independent, np.hstack([scaled, dummies]), rtol=1e-5, atol=1e-6)


def test_learnt_categories_are_those_of_the_encoder() -> None:
    passengers = pd.read_csv(RAW / "train.csv")
    features = Features.model_validate(TITANIC | {"categorical": CATEGORICAL})
    imputed = nodes.impute(passengers, nodes.compute_fill_values(passengers, features, SPLIT))
    ours = nodes.learn_categories(imputed, features, SPLIT)
    theirs = OneHotEncoder().fit(imputed[CATEGORICAL]).categories_
    assert [ours[column] for column in CATEGORICAL] == [list(map(str, categories)) for categories in theirs]


# --- The variants of `kedro features suggest`, on several CSVs


def make_rare(share: float, with_categories: bool) -> pd.DataFrame:
    """Make rows with a small share of positives: logistic with noise, from numbers or also categories."""
    generator = np.random.default_rng(7)
    rows = 4000
    numbers = generator.normal(size=(rows, 8))
    table = pd.DataFrame(numbers, columns=[f"number{i}" for i in range(8)])
    value = numbers @ generator.normal(size=8)
    for count in (3, 5) if with_categories else ():
        codes, effects = generator.integers(count, size=rows), generator.normal(size=count)
        table[f"category{count}"] = np.array(list("abcde"))[codes]
        value += effects[codes]
    value = 5 * value / value.std() + generator.logistic(size=rows)
    return table.assign(positive=np.where(value > np.quantile(value, 1 - share), "yes", "no"))


def load_bunch(load: Callable[..., Any], positive: int) -> pd.DataFrame:
    bunch = load(as_frame=True)
    table: pd.DataFrame = bunch.data.copy()
    return table.assign(positive=np.where(bunch.target == positive, "yes", "no"))


TABLES: dict[str, Callable[[], pd.DataFrame]] = {
    "breast cancer": lambda: load_bunch(load_breast_cancer, 1),
    "wine": lambda: load_bunch(load_wine, 1),
    "iris": lambda: load_bunch(load_iris, 2),
    "digits": lambda: load_bunch(load_digits, 8),
    "5 % positive, numbers": lambda: make_rare(0.05, with_categories=False),
    "5 % positive, categories": lambda: make_rare(0.05, with_categories=True),
    "12 % positive, numbers": lambda: make_rare(0.12, with_categories=False),
    "12 % positive, categories": lambda: make_rare(0.12, with_categories=True),
}


@pytest.mark.matrix
@pytest.mark.parametrize("which", TABLES)
def test_what_suggest_writes_is_as_good_as_a_logistic_regression(
    which: str, make_project: MakeProject
) -> None:
    """Every variant beats the baseline from each seed, and on average is within a point of scikit-learn."""
    project = make_project()
    file = project.folder / "data" / "01_raw" / "own.csv"
    TABLES[which]().to_csv(file, index=False)
    environment = project.folder / "conf" / "own"
    environment.mkdir()
    own = {"type": "from_scratch.datasets.RawCSVDataset", "filepath": "data/01_raw/own.csv"}
    (environment / "catalog.yml").write_text(yaml.safe_dump({"raw_data": own}))
    printed = project.kedro("features", "suggest", str(file), "--target", "positive")
    (environment / "parameters.yml").write_text(printed.stdout)
    settings = "stability.seeds=20,stability.splits=5"
    project.run("--env", "own", "--pipeline", "stability", "--params", settings)

    runs = project.load("stability_runs")
    assert runs["variant"].unique().tolist() == ["logistic", "deep_practice"]
    features = Features.model_validate(yaml.safe_load(printed.stdout)["features"])
    splits = prepare_splits(project.load("checked_data"), features, SPLIT, Stability(splits=5))
    theirs = [
        LogisticRegression(max_iter=10_000)
        .fit(split.train["independent"], split.train["dependent"])
        .score(split.valid["independent"], split.valid["dependent"])
        for split in splits
    ]
    for variant, table in runs.groupby("variant"):
        assert len(table) == 100
        assert (table["valid_accuracy"] > table["majority_accuracy"]).all(), variant
        assert table["valid_accuracy"].mean() > np.mean(theirs) - 0.01, variant
