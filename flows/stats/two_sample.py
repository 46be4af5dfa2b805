"""A two-sample test of a day's vectors against those of the days before."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.special import fdtrc, gammaincc

# The days of history needed to estimate the day-to-day noise.
MIN_DAYS = 6
DRAWS = 400


@dataclass(frozen=True)
class TwoSample:
    """How far the day's mean lies from what was expected (squared, in the space of the vectors), and p.

    `basis` says how the noise was estimated: history or resampled.
    """

    statistic: float
    p_value: float
    basis: str


def compare(
    vectors: np.ndarray, days: np.ndarray, clusters: np.ndarray, current: int, *, seed: int, period: int = 7
) -> TwoSample | None:
    """Test the day `current` against all other days; None if there is no other.

    vectors: (n, d), of unit length, so that the squared distance of two means is the maximum mean discrepancy with
    the kernel of the cosine (Gretton et al. 2012, JMLR 13:723). days: (n,) whole numbers, one after the other in
    time. clusters: (n,) the authors. An author's texts of a day count as one, their mean.
    """
    labels, which = np.unique(days, return_inverse=True)
    if len(labels) < 2 or current not in labels:
        return None
    means, groups = _author_means(vectors, which, clusters)
    others = labels[labels != current]
    if len(others) < MIN_DAYS:
        return _resampled(means, labels[groups] == current, seed)
    parts = np.split(means, np.flatnonzero(np.diff(groups)) + 1)
    order = np.argsort(labels == current, kind="stable")  # the day itself comes last
    return _learnt([parts[place] for place in order], labels[order], period)


def _author_means(vectors: np.ndarray, days: np.ndarray, clusters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean vector of each author on each day, and its day; in the order of days. `days` are numbered from 0."""
    _, authors = np.unique(clusters, return_inverse=True)
    width = authors.max() + 1
    keys, places, counts = np.unique(days * width + authors, return_inverse=True, return_counts=True)
    weights = (1 / counts[places]).astype(np.float32)
    averaging = csr_array((weights, (places, np.arange(len(places)))), shape=(len(keys), len(places)))
    return averaging @ vectors.astype(np.float32, copy=False), keys // width


def _learnt(parts: list[np.ndarray], labels: np.ndarray, period: int) -> TwoSample:
    """Test against the deviations of past days from all other past days. `parts` are the days' authors, today's last.

    Every day's mean is expected to be that of all other days, moved a share of the way to that of the same weekday
    (the share that would have served the past days best). The squared errors, each over its share that is due to few
    texts, are compared as variances are: today's over the mean of the past days' is F with m and m*days degrees of
    freedom, where m is the number of directions in which days differ, by Satterthwaite's (1946) matching of moments.
    """
    centres = np.array([part.mean(axis=0, dtype=np.float64) for part in parts])
    noise = np.array([_sampling_noise(part, centre) for part, centre in zip(parts, centres, strict=True)])
    pulls = (0.0, 0.4, 0.8)
    errors = min((_errors(centres, labels, pull, period) for pull in pulls), key=lambda found: (found[:-1] ** 2).sum())
    squares = (errors**2).sum(axis=1)
    # A day with few texts has a noisy mean: each square is divided by its expectation for the day's size.
    wander = max(float((squares[:-1] - noise[:-1]).mean()), 0.0)
    expected = np.maximum(noise + wander, 1e-12)  # equal texts have no noise
    scaled = squares / expected
    freedom = _directions(errors[:-1] / np.sqrt(expected[:-1])[:, None])
    ratio = scaled[-1] / max(float(scaled[:-1].mean()), 1e-12)
    return TwoSample(float(squares[-1]), float(fdtrc(freedom, freedom * (len(parts) - 1), ratio)), "history")


def _errors(centres: np.ndarray, labels: np.ndarray, pull: float, period: int) -> np.ndarray:
    """Each day's mean less what is expected of it; today's own is expected of no other day."""
    found = np.empty_like(centres)
    is_past = np.arange(len(labels)) < len(labels) - 1
    for place, day in enumerate(labels):
        known = is_past & (np.arange(len(labels)) != place)
        expected = centres[known].mean(axis=0)
        same = known & ((labels - day) % period == 0)
        if same.any():
            expected = expected + pull * (centres[same].mean(axis=0) - expected)
        found[place] = centres[place] - expected
    return found


def _sampling_noise(means: np.ndarray, centre: np.ndarray) -> float:
    """The expected squared error of the mean of these authors' vectors; of a single author all there is."""
    n, squares = len(means), float(np.vdot(means, means))
    return squares if n < 2 else max(squares - n * float(centre @ centre), 0.0) / (n - 1) / n


def _directions(errors: np.ndarray) -> float:
    """(sum of eigenvalues) squared over the sum of their squares, the latter free of the bias of few days.

    errors: (days, d). For normal rows E[tr(S^2)] = tr(V^2) (1 + 1/n) + tr(V)^2 / n of the second moment S.
    """
    gram = errors @ errors.T
    n = len(errors)
    trace = float(np.trace(gram)) / n
    squared = float((gram**2).sum() - (np.diag(gram) ** 2).sum()) / (n * (n - 1))
    return float(np.clip(trace**2 / max(squared, 1e-300), 1.0, errors.shape[1]))


def _resampled(means: np.ndarray, is_current: np.ndarray, seed: int) -> TwoSample:
    """Test against permutations of authors between day and past. A gamma distribution gives the tail.

    The squared distance is a sum of weighted chi-squares, which a gamma of the same mean and variance follows
    closely (Gretton et al. 2009, NIPS 22).
    """
    rng = np.random.default_rng(seed)
    drawn = _gaps(means, np.array([rng.permutation(is_current) for _ in range(DRAWS)]))
    observed = float(_gaps(means, is_current[None, :])[0])
    mean, variance = float(drawn.mean()), float(drawn.var(ddof=1))
    if variance <= 0:
        return TwoSample(observed, 1.0, "resampled")
    return TwoSample(observed, float(gammaincc(mean**2 / variance, observed * mean / variance)), "resampled")


def _gaps(means: np.ndarray, are_current: np.ndarray) -> np.ndarray:
    """The squared distances (draws,) of the means of the current rows from those of the others."""
    here = are_current.sum(axis=1, keepdims=True)
    means = means.astype(np.float64)
    sums = are_current.astype(np.float64) @ means
    gaps: np.ndarray = ((sums / here - (means.sum(axis=0) - sums) / (len(means) - here)) ** 2).sum(axis=1)
    return gaps
