"""Whether two variants that disagree differ by more than chance."""

from math import comb
from statistics import NormalDist


def sign_test(ours: int, theirs: int) -> float:
    """How likely a split at least as uneven is, if either side wins with the same chance.

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
