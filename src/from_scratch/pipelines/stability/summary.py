"""What the runs of the study say: a row for each variant."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from from_scratch.pipelines.stability.statistics import estimate_share
from from_scratch.schema.parameters import Stability


def summarise(runs: pd.DataFrame, study: Stability) -> pd.DataFrame:
    """Say for each variant how its accuracies are spread, how often it trains, and if it beats the reference.

    A run stays at the majority if its accuracy on the validation rows is at most the baseline's: always the
    answer that is more frequent in training. The reference is that of the study, or the baseline if it is no
    worse on average: who is better than a bad reference need not be any good. A pair is a run of the variant
    and the run of the reference from the same seed on the same split.

    Returns:
        A row for each variant: `variant`, `model`, `reference` (a variant, or baseline), `seeds`, `splits`
        and `runs`; of the valid accuracy `mean`, `mean_low` and `mean_high` (its 95 % interval), `deviation`,
        `minimum`, `lower_quartile`, `median`, `upper_quartile` and `maximum`; of the majority's accuracy on
        the splits `majority`, `majority_minimum` and `majority_maximum`; `at_majority`, the share of runs
        that stay there, with `_low` and `_high`, and with `_minimum` and `_maximum` of a split; `difference`,
        the mean of accuracy less the reference's, with `_low` and `_high`; `better`, `equal` and `worse`, the
        shares of pairs; and `trained_difference` with `_low` and `_high`, of those pairs in which the variant
        does not stay at the majority. What does not exist is nan: the reference has no difference.
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
    is_at_majority = accuracy <= majority
    of_trained = np.where(is_at_majority, np.nan, difference)
    shares = is_at_majority.mean(axis=1)
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
        **_with_ends("at_majority", estimate_share(is_at_majority.astype("float64"), ratio)),
        "at_majority_minimum": float(shares.min()),
        "at_majority_maximum": float(shares.max()),
        **_with_ends("difference", estimate_share(difference, ratio, least=-1.0)),
        "better": float((difference > 0).mean()),
        "equal": float((difference == 0).mean()),
        "worse": float((difference < 0).mean()),
        **_with_ends("trained_difference", estimate_share(of_trained, ratio, least=-1.0)),
    }
    if row["variant"] == row["reference"]:
        nothing = [name for name in row if "difference" in name] + ["better", "equal", "worse"]
        row |= dict.fromkeys(nothing, float("nan"))
    return row


def _with_ends(name: str, estimate: tuple[float, float, float]) -> dict[str, float]:
    return dict(zip((name, f"{name}_low", f"{name}_high"), estimate, strict=True))
