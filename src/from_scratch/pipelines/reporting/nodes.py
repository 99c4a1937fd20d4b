"""The nodes that compare the variants: metrics, coefficients, accuracies, answers and groups.

`results` holds the results of each variant by its name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import combinations
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from from_scratch.article import published_accuracies
from from_scratch.pipelines.reporting.bundles import PreparedData, Results
from from_scratch.pipelines.reporting.statistics import sign_test
from from_scratch.pipelines.reporting.words import name_column, name_group
from from_scratch.pipelines.training.variants import predict_in_chunks
from from_scratch.schema.parameters import Variant
from from_scratch.scoring import MEASURES, THRESHOLD, accuracy

GROUPING_COLUMNS = 3
"""Number of categorical columns that the rows are grouped by."""
MIN_GROUP_ROWS = 5
"""Minimum number of rows in a group of private data, so that no person can be recognised."""


def compare(results: dict[str, Results]) -> pd.DataFrame:
    """Compare the variants' metrics (sections 6.3 to 8), as `compare_metrics` does."""
    variants = {variant: result.variant for variant, result in results.items()}
    return compare_metrics({variant: result.metrics for variant, result in results.items()}, variants)


def compare_metrics(metrics: dict[str, dict[str, Any]], variants: Mapping[str, Variant]) -> pd.DataFrame:
    """Compare the metrics of variants, given by name.

    Returns:
        A row for each variant: `variant`, `article_accuracy` (only for the original passengers, and if the
        article prints one), `loss` (the loss function that it was trained with), and all its metrics.
        `leaks`, and `undefined`, the reasons why some metrics are missing, are JSON.
    """
    published = published_accuracies()
    rows = [
        {
            "variant": variant,
            # The variants that the article prints an accuracy for are named after their models.
            "article_accuracy": published.get(variant)
            if values["source"] == "original" and values["model"] == variant
            else None,
            "loss": variants[variant].loss,
            **values,
            "leaks": json.dumps(values["leaks"]),
            "undefined": json.dumps(values["undefined"]),
        }
        for variant, values in metrics.items()
    ]
    nullable = ["article_accuracy", "valid_roc_auc_low", "valid_roc_auc_high"]
    nullable += [f"valid_{measure}" for measure in MEASURES]
    return pd.DataFrame(rows).astype(dict.fromkeys(nullable, "float64"))


def name_coefficients(data: PreparedData, results: dict[str, Results]) -> pd.DataFrame:
    """Tabulate the coefficients of the variants that have one for each feature (section 6.2).

    Returns:
        A row for each feature: `feature`, and a column for each variant without a hidden layer.
    """
    columns = {
        variant: result.coefficients["weights"].flatten().numpy()
        for variant, result in results.items()
        if "weights" in result.coefficients
    }
    return pd.DataFrame({"feature": data.features.columns, **columns})


def trace_accuracies(data: PreparedData, results: dict[str, Results]) -> pd.DataFrame:
    """Compute the accuracy on the validation rows after each epoch (section 6.3).

    Returns:
        A row for each variant and epoch: `variant`, `epoch` (0 is before the first step) and
        `valid_accuracy`. A variant whose coefficients were too large to be kept after each epoch has no rows.
    """
    torch.set_num_threads(data.threads)
    precision = getattr(torch, data.precision)
    x, truth = (data.valid[name].to(precision) for name in ("independent", "dependent"))
    tables = []
    for variant, result in results.items():
        history = {
            name: torch.cat([result.initial_coefficients[name][None], by_epoch]).to(precision)
            for name, by_epoch in result.coefficients_by_epoch.items()
        }
        epochs = range(len(result.losses) + 1 if history else 0)
        accuracies = [
            accuracy(
                predict_in_chunks(result.variant, {name: kept[epoch] for name, kept in history.items()}, x),
                truth,
            )
            for epoch in epochs
        ]
        tables.append(pd.DataFrame({"variant": variant, "epoch": epochs, "valid_accuracy": accuracies}))
    return pd.concat(tables, ignore_index=True)


def compare_answers(data: PreparedData, results: dict[str, Results]) -> pd.DataFrame:
    """Count the rows on which two variants disagree, and how often each is right there, for each pair.

    Returns:
        A row for each pair: `variant`, `other`; `disagreements`, the number of validation rows on
        which they disagree; `variant_right` and `other_right`, how often each is right there; `chance`, the
        p-value of a sign test; and `training_disagreements`, the number of training rows on which they
        disagree.
    """
    answers = {
        variant: {part: predictions > THRESHOLD for part, predictions in result.predictions.items()}
        for variant, result in results.items()
    }
    truth = data.valid["dependent"].bool()
    rows = []
    for variant, other in combinations(answers, 2):
        differ = answers[variant]["valid"] != answers[other]["valid"]
        variant_right = int((answers[variant]["valid"] == truth)[differ].sum())
        other_right = int(differ.sum()) - variant_right
        rows.append(
            {
                "variant": variant,
                "other": other,
                "disagreements": variant_right + other_right,
                "variant_right": variant_right,
                "other_right": other_right,
                "chance": sign_test(variant_right, other_right),
                "training_disagreements": int((answers[variant]["train"] != answers[other]["train"]).sum()),
            }
        )
    columns = "variant other disagreements variant_right other_right chance training_disagreements".split()
    return pd.DataFrame(rows, columns=columns)


def compare_groups(data: PreparedData, results: dict[str, Results]) -> pd.DataFrame:
    """Compare, for groups of rows, the share of yes that each variant predicts with the observed share.

    A group is all training and validation rows with the same values in the first three categorical columns.
    If the data is private, groups with fewer than five rows are merged, and left out if they have fewer than
    five rows even then.

    Returns:
        A row for each group that occurs, in the order of the categories: `group`, `rows`, `observed` (the
        share of rows whose target is 1), and for each variant the share of rows that it predicts to be 1.
    """
    labels, group_of = _group_rows(data)
    rows = group_of.bincount(minlength=len(labels))

    def share(answers: Tensor) -> list[float]:
        yes = torch.zeros(len(labels), dtype=torch.float64).index_add(0, group_of, answers.double())
        shares: list[float] = (yes / rows).tolist()
        return shares

    groups = pd.DataFrame(
        {
            "group": labels,
            "rows": rows.tolist(),
            "observed": share(torch.cat([data.train["dependent"], data.valid["dependent"]])),
            **{
                variant: share(
                    torch.cat([result.predictions["train"], result.predictions["valid"]]) > THRESHOLD
                )
                for variant, result in results.items()
            },
        }
    )
    return groups if data.is_original else groups[groups["rows"] >= MIN_GROUP_ROWS]


def _group_rows(data: PreparedData) -> tuple[list[str], Tensor]:
    """Return the groups' labels, and the number of each row's group [training rows, then validation rows]."""
    independent = torch.cat([data.train["independent"], data.valid["independent"]])
    names = list(data.features.columns)
    grouping: list[list[str]] = []
    codes = torch.zeros(len(independent), dtype=torch.long)
    for column in (categorical.column for categorical in data.columns.categorical[:GROUPING_COLUMNS]):
        categories = data.categories[column]
        dummies = independent[:, [names.index(f"{column}_{category}") for category in categories]]
        is_unknown = dummies.sum(dim=1) == 0  # the training rows do not have this category
        named = [name_group(data, column, category) for category in categories]
        grouping.append([*named, f"another {name_column(data, column)}"])
        codes = codes * len(grouping[-1]) + torch.where(is_unknown, len(categories), dummies.argmax(dim=1))
    present, group_of, rows = codes.unique(return_inverse=True, return_counts=True)  # type: ignore[no-untyped-call]
    labels = [_label(code, grouping) for code in present.tolist()]
    if data.is_original:
        return labels, group_of
    large = rows >= MIN_GROUP_ROWS
    kept = [label for label, is_large in zip(labels, large.tolist(), strict=True) if is_large]
    new_group = torch.where(large, large.cumsum(0) - 1, len(kept))
    return [*kept, "smaller groups"], new_group[group_of]


def _label(code: int, categories: list[list[str]]) -> str:
    """Label a group with its categories: the code has one digit for each column, in mixed bases."""
    words: list[str] = []
    for choices in reversed(categories):
        code, digit = divmod(code, len(choices))
        words.insert(0, choices[digit])
    return ", ".join(words) or "all"
