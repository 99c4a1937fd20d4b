"""The summary of the study's runs: a row for each variant."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from from_scratch.pipelines.stability.statistics import estimate_share
from from_scratch.schema.parameters import Stability


def summarise(runs: pd.DataFrame, study: Stability) -> pd.DataFrame:
    """Summarise each variant: the spread of its accuracies, how often it trains, and how it compares.

    A run is at baseline if its accuracy on the validation rows is at most that of the baseline, which
    always predicts the majority class of the training rows. The reference is that of the study, or the
    baseline if the reference is no better on average: a variant that beats a bad reference may still be bad.
    A pair is a run of the variant and the run of the reference with the same seed and split.

    Returns:
        A row for each variant, with nan where a value does not exist (the reference has no difference):

        - `variant`, `model`, `reference` (a variant or `baseline`), `seeds`, `splits`, `runs`;
        - validation accuracy: `mean` with its 95 % interval `mean_low` to `mean_high`, `deviation`,
          `minimum`, `lower_quartile`, `median`, `upper_quartile`, `maximum`;
        - the baseline's accuracy over the splits: `majority`, `majority_minimum`, `majority_maximum`;
        - `at_majority`, the share of runs at baseline, with `_low` and `_high`, and with `_minimum` and
          `_maximum` over the splits;
        - `difference`, the mean accuracy minus the reference's, with `_low` and `_high`;
        - `better`, `equal`, `worse`: shares of pairs;
        - `trained_difference` with `_low` and `_high`: only pairs in which the variant is not at
          baseline.
    """
    names = list(dict.fromkeys(runs["variant"]))
    reference = study.reference or names[0]
    tables = {name: runs[runs["variant"] == name] for name in names}
    others = tables[reference]
    if others["majority_accuracy"].mean() >= others["valid_accuracy"].mean():
        baseline = {"variant": "baseline", "valid_accuracy": others["majority_accuracy"]}
        others = others.assign(**baseline)
    return pd.DataFrame([_summarise_variant(tables[name], others) for name in names])


def _summarise_variant(runs: pd.DataFrame, others: pd.DataFrame) -> dict[str, Any]:
    def arrange(table: pd.DataFrame, column: str) -> Any:
        return table.pivot(index="split", columns="seed", values=column).to_numpy("float64")

    first = runs.iloc[0]
    ratio = float(first["valid_rows"] / first["train_rows"])
    accuracy, majority = arrange(runs, "valid_accuracy"), arrange(runs, "majority_accuracy")
    difference = accuracy - arrange(others, "valid_accuracy")
    is_at_baseline = accuracy <= majority
    of_trained = np.where(is_at_baseline, np.nan, difference)
    shares = is_at_baseline.mean(axis=1)
    row = {
        "variant": first["variant"],
        "model": first["model"],
        "reference": others["variant"].iloc[0],
        "seeds": accuracy.shape[1],
        "splits": accuracy.shape[0],
        "runs": accuracy.size,
        **_with_ends("mean", estimate_share(accuracy, ratio)),
        "deviation": float(accuracy.std(ddof=1)),
        **dict(
            zip(
                ("minimum", "lower_quartile", "median", "upper_quartile", "maximum"),
                np.quantile(accuracy, [0, 0.25, 0.5, 0.75, 1]).tolist(),
                strict=True,
            )
        ),
        "majority": float(majority.mean()),
        "majority_minimum": float(majority.min()),
        "majority_maximum": float(majority.max()),
        **_with_ends("at_majority", estimate_share(is_at_baseline.astype("float64"), ratio)),
        "at_majority_minimum": float(shares.min()),
        "at_majority_maximum": float(shares.max()),
        **_with_ends("difference", estimate_share(difference, ratio, minimum=-1.0)),
        "better": float((difference > 0).mean()),
        "equal": float((difference == 0).mean()),
        "worse": float((difference < 0).mean()),
        **_with_ends("trained_difference", estimate_share(of_trained, ratio, minimum=-1.0)),
    }
    if row["variant"] == row["reference"]:
        nothing = [name for name in row if "difference" in name] + ["better", "equal", "worse"]
        row |= dict.fromkeys(nothing, float("nan"))
    return row


def _with_ends(name: str, estimate: tuple[float, float, float]) -> dict[str, float]:
    return dict(zip((name, f"{name}_low", f"{name}_high"), estimate, strict=True))
