"""How predictions are judged (section 6.3), and how far a judgement on few rows can be trusted."""

from statistics import NormalDist
from typing import Any

from torch import Tensor

THRESHOLD = 0.5
"""A prediction above it means yes."""


def accuracy(predictions: Tensor, targets: Tensor) -> float:
    """The share of rows whose predictions [rows] say what their targets do, 0 or 1 [rows]."""
    correct = (predictions > THRESHOLD) == targets.bool()
    return int(correct.sum()) / len(targets)


def baseline_accuracy(train: Tensor, valid: Tensor) -> float:
    """The accuracy of always giving the answer that is more frequent in `train`; both are targets [rows]."""
    majority = (train.mean() > THRESHOLD).float()
    return accuracy(majority.expand_as(valid), valid)


def is_no_better(low: Any, baseline: Any) -> Any:
    """Whether an accuracy's interval, from `low` up, reaches down to the baseline; both may be columns."""
    return low <= baseline


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


def wilson_interval(share: float, rows: int) -> tuple[float, float]:
    """The 95 % interval of a share that was seen in few rows: E. B. Wilson's score interval, 1927.

    Returns:
        The interval's ends, between 0 and 1.
    """
    z = NormalDist().inv_cdf(0.975)
    centre = (share + z**2 / (2 * rows)) / (1 + z**2 / rows)
    reach = z / (1 + z**2 / rows) * (share * (1 - share) / rows + z**2 / (4 * rows**2)) ** 0.5
    return max(centre - reach, 0.0), min(centre + reach, 1.0)
