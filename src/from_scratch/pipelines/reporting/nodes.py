"""What the variants reached, what the simplest of them learnt, and how they differ.

`results` holds what each variant reached, by its name.
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

GROUPING = 3
"""How many categorical columns make up the groups."""
SMALLEST_GROUP = 5
"""How many rows a group of data that is not public has at least, since few rows are nearly a person."""


def compare(results: dict[str, Results]) -> pd.DataFrame:
    """Put the variants' metrics side by side (sections 6.3 to 8), as `compare_metrics` does."""
    variants = {variant: result.variant for variant, result in results.items()}
    return compare_metrics({variant: result.metrics for variant, result in results.items()}, variants)


def compare_metrics(metrics: dict[str, dict[str, Any]], variants: Mapping[str, Variant]) -> pd.DataFrame:
    """Put metrics, by variant, side by side.

    Returns:
        A row for each variant: its name, `article_accuracy` (only on the original passengers, and where the
        article prints one), `loss` (which one it was trained with), and all its metrics; `leaks`, and
        `undefined`, which says why some are missing, are JSON.
    """
    published = published_accuracies()
    rows = [
        {
            "variant": variant,
            # The article's variants that it prints an accuracy for are named after their models.
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
    """Name the coefficients of the variants that have one for each feature (section 6.2).

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
        A row for each epoch: `variant`, `epoch` from 0, which is before the first, and `valid_accuracy`. None
        for a variant whose coefficients were too many to be kept after each epoch.
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
    """Count on how many rows each two variants disagree, and which of them is right.

    Returns:
        A row for each two variants: `variant`, `other`; on how many validation rows they disagree
        (`disagreements`), how often either is right there (`variant_right`, `other_right`), and how likely a
        split at least as uneven is if neither is better (`chance`, a sign test); `training_disagreements`
        counts the training rows.
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
    """Compare what each variant predicts for a group with what became of it.

    A group is all training and validation rows with the same values in the first three categorical columns.
    If the data is not public, groups of fewer than five rows are put together, and left out if they are too
    few even then.

    Returns:
        A row for each group that occurs, in the order of the categories: `group`, `rows`, `observed` (the
        share whose target is 1), and for each variant the share that it predicts.
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
    return groups if data.is_original else groups[groups["rows"] >= SMALLEST_GROUP]


def _group_rows(data: PreparedData) -> tuple[list[str], Tensor]:
    """Name the groups, and find each row's: its number [training rows, then validation rows]."""
    independent = torch.cat([data.train["independent"], data.valid["independent"]])
    names = list(data.features.columns)
    grouping: list[list[str]] = []
    codes = torch.zeros(len(independent), dtype=torch.long)
    for column in (categorical.column for categorical in data.columns.categorical[:GROUPING]):
        categories = data.categories[column]
        dummies = independent[:, [names.index(f"{column}_{category}") for category in categories]]
        is_none = dummies.sum(dim=1) == 0  # a category that the training rows don't have
        named = [name_group(data, column, category) for category in categories]
        grouping.append([*named, f"another {name_column(data, column)}"])
        codes = codes * len(grouping[-1]) + torch.where(is_none, len(categories), dummies.argmax(dim=1))
    present, group_of, rows = codes.unique(return_inverse=True, return_counts=True)  # type: ignore[no-untyped-call]
    labels = [_label(code, grouping) for code in present.tolist()]
    if data.is_original:
        return labels, group_of
    large = rows >= SMALLEST_GROUP
    kept = [label for label, is_large in zip(labels, large.tolist(), strict=True) if is_large]
    place = torch.where(large, large.cumsum(0) - 1, len(kept))
    return [*kept, "smaller groups"], place[group_of]


def _label(code: int, categories: list[list[str]]) -> str:
    """Name a group by its categories: the number is written in digits, one for each column."""
    words: list[str] = []
    for choices in reversed(categories):
        code, digit = divmod(code, len(choices))
        words.insert(0, choices[digit])
    return ", ".join(words) or "all"
