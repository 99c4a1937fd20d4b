"""How predictions are scored (section 6.3), and how uncertain a score on few rows is.

The article counts how often a model is right. Practice asks more: do positive rows have higher scores than
negative rows (`roc_auc`, `average_precision`)? How good are the positive predictions (`precision`, `recall`,
`f1`)? Are the scores good probabilities (`log_loss`, `brier_score`)?
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import torch
from torch import Tensor

THRESHOLD = 0.5
"""A row is predicted positive, which means yes, if its score is above this."""
RARE_CLASS_SHARE = 0.2
"""A class with a smaller share of the rows is rare: the baseline is then too accurate to compare with."""
EPSILON = torch.finfo(torch.float32).eps
"""Minimum distance of a score from 0 and 1 in the log loss: the resolution of the stored float32 scores."""


class UndefinedError(ValueError):
    """A measure is not defined for these rows and predictions; the message is the reason."""


def accuracy(predictions: Tensor, targets: Tensor) -> float:
    """Return the share of correct predictions, given predictions [rows] and targets [rows], 0 or 1."""
    correct = (predictions > THRESHOLD) == targets.bool()
    return int(correct.sum()) / len(targets)


def baseline_accuracy(train: Tensor, valid: Tensor) -> float:
    """Return the accuracy of always predicting the majority class of `train`; both are targets [rows]."""
    return accuracy(torch.full_like(valid, is_mostly_yes(train)), valid)


def is_mostly_yes(targets: Tensor) -> bool:
    """Return whether yes is more frequent than no among the targets [rows]."""
    return bool(targets.mean() > THRESHOLD)


@dataclass(frozen=True)
class Yardstick:
    """The measure that decides whether a variant is better than the baseline, and than another variant."""

    name: str
    metric: str
    """Its name in the metrics; its 95 % interval is `…_low` to `…_high`."""
    baseline: float

    def is_no_better(self, low: Any) -> Any:
        """Return whether an interval that starts at `low` reaches the baseline; `low` may be a column."""
        return low <= self.baseline


def choose_yardstick(metrics: Mapping[str, Any]) -> Yardstick:
    """Choose the measure that decides, given a variant's metrics: accuracy, or ROC AUC for a rare class."""
    has_both_classes = 0 < metrics["valid_positives"] < metrics["valid_rows"]
    rows = metrics["train_rows"] + metrics["valid_rows"]
    positives = metrics["train_positives"] + metrics["valid_positives"]
    if has_both_classes and min(positives, rows - positives) < RARE_CLASS_SHARE * rows:
        return Yardstick("ROC AUC", "valid_roc_auc", 0.5)
    return Yardstick("accuracy", "valid_accuracy", metrics["majority_accuracy"])


def confusion(predictions: Tensor, targets: Tensor) -> dict[str, int]:
    """Count the true and false positives and negatives, given predictions [rows] and targets [rows].

    Returns:
        `true_positives`, `false_positives`, `true_negatives`, `false_negatives`, which sum to the rows.
    """
    predicted, actual = predictions > THRESHOLD, targets.bool()
    return {
        "true_positives": int((predicted & actual).sum()),
        "false_positives": int((predicted & ~actual).sum()),
        "true_negatives": int((~predicted & ~actual).sum()),
        "false_negatives": int((~predicted & actual).sum()),
    }


def roc_auc(predictions: Tensor, targets: Tensor) -> float:
    """Return the share of pairs of a positive and a negative row in which the positive row scores higher.

    A pair with equal scores counts half.

    Args:
        predictions: The scores [rows].
        targets: 0 or 1 [rows].

    Raises:
        UndefinedError: If all rows are positive, or all are negative.
    """
    _require_positive(targets)
    if targets.bool().all():
        raise UndefinedError("no row is negative")
    positives, negatives = _count_by_score(predictions, targets)
    below = negatives.cumsum(0) - negatives
    pairs = (positives * (below + negatives / 2)).sum()
    return float(pairs / positives.sum() / negatives.sum())


def average_precision(predictions: Tensor, targets: Tensor) -> float:
    """Average the precision over all positive rows, with each positive row's score as the threshold.

    Args:
        predictions: The scores [rows].
        targets: 0 or 1 [rows].

    Raises:
        UndefinedError: If no row is positive.
    """
    _require_positive(targets)
    positives, negatives = (counts.flip(0) for counts in _count_by_score(predictions, targets))
    precisions = positives.cumsum(0) / (positives + negatives).cumsum(0)
    return float((positives * precisions).sum() / positives.sum())


def precision(predictions: Tensor, targets: Tensor) -> float:
    """Return the share of positive rows among those predicted positive; both tensors are [rows].

    Raises:
        UndefinedError: If no row is predicted positive.
    """
    counts = confusion(predictions, targets)
    if not (predicted := counts["true_positives"] + counts["false_positives"]):
        raise UndefinedError("no row is predicted positive")
    return counts["true_positives"] / predicted


def recall(predictions: Tensor, targets: Tensor) -> float:
    """Return the share of the positive rows that are predicted positive; both tensors are [rows].

    Raises:
        UndefinedError: If no row is positive.
    """
    _require_positive(targets)
    counts = confusion(predictions, targets)
    return counts["true_positives"] / (counts["true_positives"] + counts["false_negatives"])


def f1(predictions: Tensor, targets: Tensor) -> float:
    """Return the harmonic mean of precision and recall, 0 without true positives; both tensors are [rows].

    Raises:
        UndefinedError: If no row is positive or predicted positive.
    """
    counts = confusion(predictions, targets)
    wrong = counts["false_positives"] + counts["false_negatives"]
    if not counts["true_positives"] + wrong:
        raise UndefinedError("no row is positive or predicted positive")
    return 2 * counts["true_positives"] / (2 * counts["true_positives"] + wrong)


def log_loss(predictions: Tensor, targets: Tensor) -> float:
    """Average -ln of the probability that each prediction gives to its target; both tensors are [rows].

    A wrong score of exactly 0 or 1 would make it infinite. So, as in scikit-learn, scores are clamped to stay
    `EPSILON` away from 0 and 1: a wrong score of 0 or 1 then costs 15.9.

    Raises:
        UndefinedError: If a score is outside 0 to 1.
    """
    _require_probabilities(predictions)
    likely = torch.where(targets.bool(), predictions, 1 - predictions)
    return float(-likely.clamp(EPSILON, 1 - EPSILON).log().mean())


def brier_score(predictions: Tensor, targets: Tensor) -> float:
    """Average the squared differences between predictions and targets, both [rows].

    Raises:
        UndefinedError: If a score is outside 0 to 1.
    """
    _require_probabilities(predictions)
    return float((predictions - targets).square().mean())


MEASURES: dict[str, Callable[[Tensor, Tensor], float]] = {
    compute.__name__: compute
    for compute in (roc_auc, average_precision, precision, recall, f1, log_loss, brier_score)
}
"""The measures beyond accuracy, by name."""


def measure(predictions: Tensor, targets: Tensor) -> tuple[dict[str, float | None], dict[str, str]]:
    """Compute all `MEASURES`, given predictions [rows] and targets [rows].

    Returns:
        The values by name, None for a measure that is not defined; and the reasons, by the names of those.
    """
    values: dict[str, float | None] = {}
    reasons: dict[str, str] = {}
    for name, compute in MEASURES.items():
        try:
            values[name] = compute(predictions, targets)
        except UndefinedError as error:
            values[name], reasons[name] = None, str(error)
    return values, reasons


def _require_positive(targets: Tensor) -> None:
    if not targets.bool().any():
        raise UndefinedError("no row is positive")


def _require_probabilities(predictions: Tensor) -> None:
    outside = int(((predictions < 0) | (predictions > 1)).sum())
    if outside:
        rows = f"{outside:,} of {len(predictions):,} rows"
        raise UndefinedError(f"scores are outside 0 to 1 in {rows}, so they are not probabilities")


def _count_by_score(predictions: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Count the positive and negative rows with each score, in ascending order: both [scores], float64."""
    _, index, rows = predictions.unique(return_inverse=True, return_counts=True)  # type: ignore[no-untyped-call]
    positives = index.bincount(weights=targets.double(), minlength=len(rows))
    return positives, rows - positives


def roc_auc_interval(area: float, positives: int, negatives: int) -> tuple[float, float]:
    """Return the 95 % interval of a ROC AUC: R. G. Newcombe's method 5, Statistics in Medicine 25 (2006).

    Like Wilson's interval, it ends where the observed area is 1.96 standard errors away. The standard error
    is that of J. A. Hanley and B. J. McNeil (1982), assuming that the true area is the end itself.

    Args:
        area: The observed ROC AUC.
        positives: Number of positive rows, at least 1.
        negatives: Number of negative rows, at least 1.

    Returns:
        The lower and the upper end, between 0 and 1.
    """
    z = NormalDist().inv_cdf(0.975)
    rows = (positives + negatives) / 2 - 1

    def is_within(end: float) -> bool:
        spread = 1 + rows * (1 - end) / (2 - end) + rows * end / (1 + end)
        return (area - end) ** 2 <= z**2 * end * (1 - end) * spread / (positives * negatives)

    def bisect(inside: float, outside: float) -> float:
        for _ in range(64):  # until floats cannot be halved further
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if is_within(middle) else (inside, middle)
        return inside

    return bisect(area, 0.0), bisect(area, 1.0)


def wilson_interval(share: float, rows: int) -> tuple[float, float]:
    """Return the 95 % interval of a share observed in a number of rows: E. B. Wilson's score interval (1927).

    Returns:
        The lower and the upper end, between 0 and 1.
    """
    z = NormalDist().inv_cdf(0.975)
    centre = (share + z**2 / (2 * rows)) / (1 + z**2 / rows)
    margin = z / (1 + z**2 / rows) * (share * (1 - share) / rows + z**2 / (4 * rows**2)) ** 0.5
    return max(centre - margin, 0.0), min(centre + margin, 1.0)
