"""How predictions are judged (section 6.3), and how far a judgement on few rows can be trusted.

The article counts how often a model is right. Practice asks more: whether the positive rows have the greater
scores (`roc_auc`, `average_precision`), how good the answers yes are (`precision`, `recall`, `f1`), and
whether scores are good probabilities (`log_loss`, `brier_score`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import torch
from torch import Tensor

THRESHOLD = 0.5
"""A prediction above it means yes."""
RARE = 0.2
"""If an answer has a smaller share of the rows, the baseline is right too often for accuracy to decide."""
CERTAIN = torch.finfo(torch.float32).eps
"""How near to 0 or 1 the log loss takes a score to be: runs keep scores in float32, which is no finer."""


class UndefinedError(ValueError):
    """A measure that these rows and predictions don't have, and why."""


def accuracy(predictions: Tensor, targets: Tensor) -> float:
    """The share of rows whose predictions [rows] say what their targets do, 0 or 1 [rows]."""
    correct = (predictions > THRESHOLD) == targets.bool()
    return int(correct.sum()) / len(targets)


def baseline_accuracy(train: Tensor, valid: Tensor) -> float:
    """The accuracy of always giving the answer that is more frequent in `train`; both are targets [rows]."""
    return accuracy(torch.full_like(valid, is_mostly_yes(train)), valid)


def is_mostly_yes(targets: Tensor) -> bool:
    """Whether yes is the more frequent of the targets [rows]."""
    return bool(targets.mean() > THRESHOLD)


@dataclass(frozen=True)
class Yardstick:
    """The measure that decides whether a variant is better than the baseline, and than another variant."""

    name: str
    metric: str
    """Its name among the metrics; the ends of its 95 % interval are `…_low` and `…_high`."""
    baseline: float

    def is_no_better(self, low: Any) -> Any:
        """Whether an interval, from `low` up, reaches down to the baseline; `low` may be a column."""
        return low <= self.baseline


def choose_yardstick(metrics: Mapping[str, Any]) -> Yardstick:
    """Choose what decides, given a variant's metrics: the accuracy; where one answer is rare, the ROC AUC."""
    has_both_classes = 0 < metrics["valid_positives"] < metrics["valid_rows"]
    rows = metrics["train_rows"] + metrics["valid_rows"]
    positives = metrics["train_positives"] + metrics["valid_positives"]
    if has_both_classes and min(positives, rows - positives) < RARE * rows:
        return Yardstick("ROC AUC", "valid_roc_auc", 0.5)
    return Yardstick("accuracy", "valid_accuracy", metrics["majority_accuracy"])


def confusion(predictions: Tensor, targets: Tensor) -> dict[str, int]:
    """Count the true and false positives and negatives of predictions [rows], given their targets [rows].

    Returns:
        `true_positives`, `false_positives`, `true_negatives` and `false_negatives`, which sum to the rows.
    """
    said, true = predictions > THRESHOLD, targets.bool()
    return {
        "true_positives": int((said & true).sum()),
        "false_positives": int((said & ~true).sum()),
        "true_negatives": int((~said & ~true).sum()),
        "false_negatives": int((~said & true).sum()),
    }


def roc_auc(predictions: Tensor, targets: Tensor) -> float:
    """The share of pairs, a positive row and a negative one, in which the positive row has the greater score.

    Equal scores count half.

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
    """The mean of the precisions at each positive row, if all rows with at least its score get a yes.

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
    """The share of positive rows among those that get a yes; predictions and targets are [rows].

    Raises:
        UndefinedError: If no row gets a yes.
    """
    counts = confusion(predictions, targets)
    if not (said := counts["true_positives"] + counts["false_positives"]):
        raise UndefinedError("no row is predicted positive")
    return counts["true_positives"] / said


def recall(predictions: Tensor, targets: Tensor) -> float:
    """The share of the positive rows that get a yes; predictions and targets are [rows].

    Raises:
        UndefinedError: If no row is positive.
    """
    _require_positive(targets)
    counts = confusion(predictions, targets)
    return counts["true_positives"] / (counts["true_positives"] + counts["false_negatives"])


def f1(predictions: Tensor, targets: Tensor) -> float:
    """The harmonic mean of precision and recall, 0 without a true positive; both tensors are [rows].

    Raises:
        UndefinedError: If no row is positive, and none gets a yes.
    """
    counts = confusion(predictions, targets)
    wrong = counts["false_positives"] + counts["false_negatives"]
    if not counts["true_positives"] + wrong:
        raise UndefinedError("no row is positive or predicted positive")
    return 2 * counts["true_positives"] / (2 * counts["true_positives"] + wrong)


def log_loss(predictions: Tensor, targets: Tensor) -> float:
    """The mean of -ln of the probability that a prediction gives to the target; both are [rows].

    It would be infinite if a score of exactly 0 or 1 were wrong. So scores lie at least `CERTAIN` from 0 and
    1 here, as scikit-learn has it: a certain and wrong score costs 15.9.

    Raises:
        UndefinedError: If a score lies outside of 0 to 1.
    """
    _require_probabilities(predictions)
    likely = torch.where(targets.bool(), predictions, 1 - predictions)
    return float(-likely.clamp(CERTAIN, 1 - CERTAIN).log().mean())


def brier_score(predictions: Tensor, targets: Tensor) -> float:
    """The mean squared difference between predictions and targets, both [rows].

    Raises:
        UndefinedError: If a score lies outside of 0 to 1.
    """
    _require_probabilities(predictions)
    return float((predictions - targets).square().mean())


MEASURES: dict[str, Callable[[Tensor, Tensor], float]] = {
    compute.__name__: compute
    for compute in (roc_auc, average_precision, precision, recall, f1, log_loss, brier_score)
}
"""What `measure` computes beside the accuracy."""


def measure(predictions: Tensor, targets: Tensor) -> tuple[dict[str, float | None], dict[str, str]]:
    """Compute all of `MEASURES` of predictions [rows], given their targets [rows].

    Returns:
        The measures by name, None where one is not defined; and why, by the names of those.
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
        raise UndefinedError(f"scores lie outside of 0 to 1 in {rows}, so they are not probabilities")


def _count_by_score(predictions: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Count the positive and the negative rows of each score, from the lowest on: both [scores], float64."""
    _, place, rows = predictions.unique(return_inverse=True, return_counts=True)  # type: ignore[no-untyped-call]
    positives = place.bincount(weights=targets.double(), minlength=len(rows))
    return positives, rows - positives


def roc_auc_interval(area: float, positives: int, negatives: int) -> tuple[float, float]:
    """The 95 % interval of a ROC AUC: R. G. Newcombe's method 5, Statistics in Medicine 25 (2006).

    As Wilson's, it ends where the area that was seen is 1.96 standard errors from the end; the error is
    that of J. A. Hanley and B. J. McNeil (1982), for an area that truly is the end.

    Args:
        area: The ROC AUC that was seen.
        positives: How many rows are positive, at least 1.
        negatives: How many are negative, at least 1.

    Returns:
        The interval's ends, between 0 and 1.
    """
    z = NormalDist().inv_cdf(0.975)
    rows = (positives + negatives) / 2 - 1

    def is_within(end: float) -> bool:
        spread = 1 + rows * (1 - end) / (2 - end) + rows * end / (1 + end)
        return (area - end) ** 2 <= z**2 * end * (1 - end) * spread / (positives * negatives)

    def bisect(inside: float, outside: float) -> float:
        for _ in range(64):  # halves the range to nothing
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if is_within(middle) else (inside, middle)
        return inside

    return bisect(area, 0.0), bisect(area, 1.0)


def wilson_interval(share: float, rows: int) -> tuple[float, float]:
    """The 95 % interval of a share that was seen in few rows: E. B. Wilson's score interval, 1927.

    Returns:
        The interval's ends, between 0 and 1.
    """
    z = NormalDist().inv_cdf(0.975)
    centre = (share + z**2 / (2 * rows)) / (1 + z**2 / rows)
    reach = z / (1 + z**2 / rows) * (share * (1 - share) / rows + z**2 / (4 * rows**2)) ** 0.5
    return max(centre - reach, 0.0), min(centre + reach, 1.0)
