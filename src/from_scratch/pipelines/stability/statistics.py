"""Confidence intervals of means over seeds and splits."""

from __future__ import annotations

from math import cos, nan, pi, sin, sqrt, tan

import numpy as np
from numpy.typing import NDArray


def estimate_mean(values: NDArray[np.float64], ratio: float) -> tuple[float, float, float]:
    """Estimate the mean over all seeds and over new rows of the same kind.

    Runs that share a seed or a split are not independent: a lucky seed is lucky on many splits, and an easy
    split is easy for many seeds. So the variance of the mean is that of the splits' means plus that of the
    seeds' means. All splits are of the same rows, so their means differ less than those of new rows would.
    `ratio` corrects for that, by the rule of thumb of C. Nadeau and Y. Bengio (Machine Learning 52, 2003).

    Args:
        values: A value for each split and seed [splits, seeds]; nan if it is missing.
        ratio: The number of validation rows divided by that of training rows.

    Returns:
        The mean and the ends of its 95 % interval, by Student's t with one degree of freedom less than the
        number of splits or seeds, whichever is smaller. All three are nan without any value; the ends are nan
        with fewer than two splits or seeds.
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
    shares: NDArray[np.float64], ratio: float, minimum: float = 0.0
) -> tuple[float, float, float]:
    """Estimate the mean of shares, or of differences of shares.

    Returns:
        As `estimate_mean`, with the ends clipped to [`minimum`, 1]; for differences, `minimum` is -1.
    """
    share, low, high = estimate_mean(shares, ratio)
    return share, max(low, minimum), min(high, 1.0)


def student_quantile(degrees: int, confidence: float = 0.95) -> float:
    """Return the two-sided quantile of Student's t-distribution.

    Args:
        degrees: The degrees of freedom, at least 1.
        confidence: The probability between -t and t.

    Returns:
        The t for which |T| < t has this probability.
    """
    low, high = 0.0, pi / 2
    for _ in range(64):  # bisection, to the last bit
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, degrees) < confidence else (low, middle)
    return sqrt(degrees) * tan(low)


def _within(angle: float, degrees: int) -> float:
    """Return the probability of |T| < √degrees · tan(angle): Abramowitz and Stegun, 26.7.3 and 26.7.4."""
    odd = degrees % 2
    term, total = (cos(angle) if odd else 1.0), 0.0
    for n in range(2 + odd, degrees + 1, 2):
        total += term
        term *= cos(angle) ** 2 * (n - 1) / n
    return 2 / pi * (angle + sin(angle) * total) if odd else sin(angle) * total
