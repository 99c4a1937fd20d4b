"""A test of whether two variants differ by more than chance."""

from math import comb
from statistics import NormalDist


def sign_test(ours: int, theirs: int) -> float:
    """Return the probability of a split at least this uneven if both sides win equally often.

    Returns:
        The two-sided p-value of the binomial distribution: exact up to 1,000 games, and the normal
        approximation with a continuity correction beyond; 1 if there was no game.
    """
    games, fewer = ours + theirs, min(ours, theirs)
    if games > 1000:
        tail = NormalDist(games / 2, games**0.5 / 2).cdf(fewer + 0.5)
    else:
        tail = sum(comb(games, wins) for wins in range(fewer + 1)) / 2**games
    return min(1.0, 2 * tail)
