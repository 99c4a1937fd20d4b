"""How predictions are judged (section 6.3), and how far a judgement on few rows can be trusted."""

from math import comb, cos, pi, sin, sqrt, tan
from statistics import NormalDist
from typing import Any

from torch import Tensor

THRESHOLD = 0.5
"""A prediction above it means yes."""


def accuracy(predictions: Tensor, dependent: Tensor) -> float:
    """The share of rows that are decided rightly.

    Args:
        predictions: One for each row [rows].
        dependent: The truth, 0 or 1 [rows].

    Returns:
        A share between 0 and 1.
    """
    return accuracies(predictions[None], dependent)[0]


def accuracies(predictions: Tensor, dependent: Tensor) -> list[float]:
    """The share of rows that each of many models decides rightly.

    Args:
        predictions: One for each model and row [models, rows].
        dependent: The truth, 0 or 1 [rows].

    Returns:
        A share between 0 and 1 for each model.
    """
    right = (predictions > THRESHOLD) == dependent.bool()
    return [count / len(dependent) for count in right.sum(dim=1).tolist()]


def majority_accuracy(train: Tensor, valid: Tensor) -> float:
    """The accuracy of whoever always gives the answer that is more frequent in training.

    Args:
        train: The truth of the rows that train, 0 or 1 [rows].
        valid: The truth of the rows that validate, 0 or 1 [rows].

    Returns:
        A share between 0 and 1.
    """
    majority = (train.mean() > THRESHOLD).float()
    return accuracy(majority.expand_as(valid), valid)


def is_no_better(low: Any, baseline: Any) -> Any:
    """Say whether an accuracy can't be told from the baseline's, always the more frequent answer.

    Args:
        low: The lower end of the accuracy's interval: a share, or a column of shares.
        baseline: The baseline's accuracy: a share, or a column of shares.

    Returns:
        Whether the interval reaches down to the baseline, for each.
    """
    return low <= baseline


def confusion(predictions: Tensor, dependent: Tensor) -> dict[str, int]:
    """Count the rows that are decided rightly and wrongly, either way.

    Args:
        predictions: One for each row [rows].
        dependent: The truth, 0 or 1 [rows].

    Returns:
        `true_positives`, `false_positives`, `true_negatives` and `false_negatives`, which sum to the rows.
    """
    said, true = predictions > THRESHOLD, dependent.bool()
    return {
        "true_positives": int((said & true).sum()),
        "false_positives": int((said & ~true).sum()),
        "true_negatives": int((~said & ~true).sum()),
        "false_negatives": int((~said & true).sum()),
    }


def wilson_interval(share: float, rows: int, confidence: float = 0.95) -> tuple[float, float]:
    """How high the true share may be, seen in so few rows: E. B. Wilson's score interval, 1927.

    Args:
        share: The share that was seen, between 0 and 1.
        rows: In how many rows.
        confidence: How surely the interval holds the true share.

    Returns:
        The interval's ends, between 0 and 1.
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    centre = (share + z**2 / (2 * rows)) / (1 + z**2 / rows)
    reach = z / (1 + z**2 / rows) * (share * (1 - share) / rows + z**2 / (4 * rows**2)) ** 0.5
    return max(centre - reach, 0.0), min(centre + reach, 1.0)


def student_quantile(degrees: int, confidence: float = 0.95) -> float:
    """How many standard errors a mean of few values may be off: Student's t.

    Args:
        degrees: The degrees of freedom, at least 1.
        confidence: How surely the mean is no further off.

    Returns:
        The t that |T| stays below with this probability.
    """
    low, high = 0.0, pi / 2
    for _ in range(64):  # halves the angle's range to nothing
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, degrees) < confidence else (low, middle)
    return sqrt(degrees) * tan(low)


def _within(angle: float, degrees: int) -> float:
    """How likely |T| < √degrees · tan(angle) is: Abramowitz and Stegun, 26.7.3 and 26.7.4, exact sums."""
    odd = degrees % 2
    term, total = (cos(angle) if odd else 1.0), 0.0
    for n in range(2 + odd, degrees + 1, 2):
        total += term
        term *= cos(angle) ** 2 * (n - 1) / n
    return 2 / pi * (angle + sin(angle) * total) if odd else sin(angle) * total


def sign_test(ours: int, theirs: int) -> float:
    """How likely a split at least as uneven is, if either side wins with the same chance.

    Args:
        ours: How often one side wins.
        theirs: How often the other does.

    Returns:
        The two-sided probability of the binomial distribution, exact up to 1,000 games and the normal
        approximation, with a correction for continuity, beyond; 1 if there was no game.
    """
    games, fewer = ours + theirs, min(ours, theirs)
    if games > 1000:
        tail = NormalDist(games / 2, games**0.5 / 2).cdf(fewer + 0.5)
    else:
        tail = sum(comb(games, wins) for wins in range(fewer + 1)) / 2**games
    return min(1.0, 2 * tail)
