"""The rate behind a judge's verdicts, given how often the judge is right."""

from typing import Any

import numpy as np
from scipy.special import ndtri

from flows.stats.stratified_rate import Estimate

Array = np.ndarray[Any, np.dtype[Any]]


def rogan_gladen(
    failed: Array, n: Array, *, tpr: Array, n_tpr: Array, tnr: Array, n_tnr: Array, confidence: float = 0.95
) -> Estimate:
    """The true rate where a judge failed `failed` of `n` answers (Rogan and Gladen 1978, Am. J. Epidemiology 107:71).

    `tpr` and `tnr`, from 0 to 1, stand on `n_tpr` and `n_tnr` (effective) labels of other answers; all are arrays of
    one shape, or numbers. The interval is Lang and Reiczigel's (2014, Preventive Veterinary Medicine 113:13), with
    (1 - P)^2 in the variance, where their equation 4 lacks the square (as in the R package asht, `prevSeSp`). NaN where
    TPR + TNR, with their added labels, is not above 1: such verdicts say nothing.
    """
    z = float(ndtri(0.5 + confidence / 2))
    size, of_tpr, of_tnr = n + z * z, n_tpr + 2, n_tnr + 2
    seen = (failed + z * z / 2) / size
    hit, miss = (n_tpr * tpr + 1) / of_tpr, (n_tnr * tnr + 1) / of_tnr
    youden = hit + miss - 1
    youden = np.where(youden > 0, youden, np.nan)
    rate = (seen + miss - 1) / youden
    noise_tpr, noise_tnr = hit * (1 - hit) / of_tpr, miss * (1 - miss) / of_tnr
    shift = 2 * z * z * (rate * noise_tpr - (1 - rate) * noise_tnr)
    variance = seen * (1 - seen) / size + rate**2 * noise_tpr + (1 - rate) ** 2 * noise_tnr
    half = z * np.sqrt(variance) / youden
    plain = tpr + tnr - 1
    value = np.clip((failed / n + tnr - 1) / np.where(plain > 0, plain, np.nan), 0.0, 1.0)
    low, high = np.clip(rate + shift - half, 0.0, 1.0), np.clip(rate + shift + half, 0.0, 1.0)
    return Estimate(value, np.minimum(low, value), np.maximum(high, value))
