"""How far a mean over seeds and splits can be trusted."""

from __future__ import annotations

from math import cos, nan, pi, sin, sqrt, tan

import numpy as np
from numpy.typing import NDArray


def estimate_mean(values: NDArray[np.float64], ratio: float) -> tuple[float, float, float]:
    """Estimate what the mean would be over all seeds, and over fresh rows of the same kind.

    Runs of one seed, or of one split, are not independent: a lucky seed is lucky on many splits, and a
    split is easy for many seeds. So the mean is as unsure as the splits' means and the seeds' means together.
    The splits are of the same rows, too: their means differ less than those of fresh rows would. What
    C. Nadeau and Y. Bengio (Machine Learning 52, 2003) add for that, by a rule of thumb, is `ratio`.

    Args:
        values: One for each split and seed [splits, seeds]; nan where there is none.
        ratio: Validation rows for each training row.

    Returns:
        The mean, and the ends of its 95 % interval: Student's t with a degree less than there are splits, or
        seeds if they are fewer. All are nan without any value; the ends, if there are not two of each.
    """
    present = ~np.isnan(values)
    values = values[present.any(axis=1)][:, present.any(axis=0)]
    splits, seeds = values.shape
    if not values.size:
        return nan, nan, nan
    mean = float(np.nanmean(values))
    if splits < 2 or seeds < 2:
        return mean, nan, nan
    of_splits = float(np.nanmean(values, axis=1).var(ddof=1))
    of_seeds = float(np.nanmean(values, axis=0).var(ddof=1))
    error = ((1 / splits + ratio) * of_splits + of_seeds / seeds) ** 0.5
    reach = student_quantile(min(splits, seeds) - 1) * error
    return mean, mean - reach, mean + reach


def estimate_share(
    shares: NDArray[np.float64], ratio: float, least: float = 0.0
) -> tuple[float, float, float]:
    """Estimate what the mean of shares, or of differences of shares, would be.

    Returns:
        As `estimate_mean`, with the ends between `least`, which is -1 for differences, and 1.
    """
    share, low, high = estimate_mean(shares, ratio)
    return share, max(low, least), min(high, 1.0)


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
