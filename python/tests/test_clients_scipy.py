# SPDX-License-Identifier: Apache-2.0
"""SciPy's functions that take arrays of any namespace give NumPy's answers, as Penstock arrays where they say so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import penstock as ps

pytest.importorskip("scipy", minversion="1.16")

from scipy import cluster, constants, differentiate, fft, integrate, ndimage, signal, special, stats
from scipy.cluster import vq
from scipy.optimize import elementwise, rosen
from scipy.spatial import distance

RNG = np.random.default_rng(0)
X, Y = RNG.random(100) + 0.5, RNG.random(100) + 0.5
A = RNG.random((50, 4))
TREE = cluster.hierarchy.linkage(A)
BOX = np.ones(3) / 3

# What a function is called with: `w` makes a Penstock array, or leaves the NumPy array as it is.
Wrap = Callable[[Any], Any]


def of(function: Callable[..., Any], *arrays: Any) -> Callable[[Wrap], Any]:
    return lambda w: function(*(w(each) if isinstance(each, np.ndarray) else each for each in arrays))


OF_ONE = [
    "log_ndtr", "ndtr", "erf", "erfc", "i0", "i0e", "i1", "i1e", "gammaln", "expit", "entr", "logsumexp", "softmax",
]  # fmt: skip
OF_TWO = [
    "rel_entr", "xlogy", "chdtrc", "chdtr", "gammainc", "gammaincc", "betaln", "zeta", "stdtrit",
]  # fmt: skip
SPECIAL = {
    **dict.fromkeys(OF_ONE, (X,)),
    **dict.fromkeys(OF_TWO, (X + 1, Y)),
    "ndtri": (X / 2,), "logit": (X / 2,), "betainc": (X, Y, X / 3), "log_softmax": (X,), "sinc": (X,), "digamma": (X,),
}  # fmt: skip
ONE = [
    "zscore", "skew", "kurtosis", "gmean", "hmean", "sem", "variation", "entropy", "iqr", "rankdata", "skewtest",
    "kurtosistest", "normaltest", "jarque_bera", "describe", "circmean", "circvar", "circstd", "differential_entropy",
    "chisquare", "gzscore", "tvar",
]  # fmt: skip
TWO = [
    "ttest_ind", "ttest_rel", "pearsonr", "mannwhitneyu", "wilcoxon", "kruskal", "f_oneway", "bartlett", "levene",
    "zmap", "alexandergovern", "fligner", "ansari", "brunnermunzel",
]  # fmt: skip
FFT = [
    "fft", "ifft", "fftn", "rfft", "irfft", "hfft", "ihfft", "dct", "fftshift",
]  # fmt: skip
CALLS: dict[str, Callable[[Wrap], Any]] = {
    **{f"special.{name}": of(getattr(special, name), *arrays) for name, arrays in SPECIAL.items()},
    **{f"stats.{name}": of(getattr(stats, name), X) for name in ONE},
    **{f"stats.{name}": of(getattr(stats, name), X, Y) for name in TWO},
    "stats.moment": of(stats.moment, A, 2),
    "stats.pmean": of(stats.pmean, X, 2),
    "stats.ttest_1samp": of(stats.ttest_1samp, X, 0.5),
    "stats.trim_mean": of(stats.trim_mean, X, 0.1),
    "stats.tmean": of(stats.tmean, X, (0.6, 1.2)),
    "stats.quantile": of(stats.quantile, X, np.asarray([0.1, 0.5])),
    "stats.combine_pvalues": of(stats.combine_pvalues, X / 3),
    "stats.spearmanr": of(stats.spearmanr, X, Y),
    "signal.convolve": of(signal.convolve, X, Y),
    "signal.fftconvolve": of(signal.fftconvolve, X, Y),
    "signal.oaconvolve": of(signal.oaconvolve, X, Y),
    "signal.correlate": of(signal.correlate, X, Y),
    "signal.lfilter": of(signal.lfilter, BOX, np.asarray([1.0, 0.1]), X),
    "signal.filtfilt": of(signal.filtfilt, BOX, np.asarray([1.0]), X),
    "signal.hilbert": of(signal.hilbert, X),
    "signal.detrend": of(signal.detrend, X),
    "signal.resample": of(signal.resample, X, 50),
    "signal.resample_poly": of(signal.resample_poly, X, 1, 2),
    "signal.savgol_filter": of(signal.savgol_filter, X, 5, 2),
    "signal.medfilt": of(signal.medfilt, X),
    "signal.wiener": of(signal.wiener, X),
    "signal.welch": lambda w: signal.welch(w(X), nperseg=32),
    "signal.coherence": lambda w: signal.coherence(w(X), w(Y), nperseg=32),
    "signal.freqz": of(signal.freqz, BOX),
    "signal.lfilter_zi": of(signal.lfilter_zi, np.ones(2), np.asarray([1.0, 0.2])),
    "signal.envelope": of(signal.envelope, X),
    "signal.vectorstrength": of(signal.vectorstrength, X, 0.3),
    "cluster.whiten": of(vq.whiten, A),
    "cluster.vq": of(vq.vq, A, A[:3]),
    "cluster.kmeans": of(vq.kmeans, A, A[:3]),
    "cluster.linkage": of(cluster.hierarchy.linkage, A),
    "cluster.cophenet": of(cluster.hierarchy.cophenet, TREE),
    **{f"fft.{name}": of(getattr(fft, name), X) for name in FFT},
    "ndimage.gaussian_filter": of(ndimage.gaussian_filter, A, 1),
    "ndimage.sobel": of(ndimage.sobel, A),
    "integrate.trapezoid": of(integrate.trapezoid, X),
    "integrate.cumulative_trapezoid": of(integrate.cumulative_trapezoid, X),
    "integrate.cumulative_simpson": of(integrate.cumulative_simpson, X),
    "integrate.tanhsinh": lambda w: integrate.tanhsinh(np.square, w(np.asarray(0.0)), w(np.asarray(1.0))).integral,
    "optimize.rosen": of(rosen, X),
    "optimize.find_root": lambda w: (
        elementwise.find_root(lambda z: z * z - 2, (w(np.asarray(0.0)), w(np.asarray(2.0)))).x
    ),
    "differentiate.derivative": lambda w: differentiate.derivative(lambda z: z**3, w(X)).df,
    "distance.pdist": of(distance.pdist, A),
    "constants.convert_temperature": of(constants.convert_temperature, X, "C", "K"),
}
# Functions that SciPy makes NumPy arrays in, whatever they are given.
NUMPY_INSIDE = {"signal.welch", "signal.coherence", "stats.spearmanr"}


def parts(result: Any) -> list[Any]:
    """The arrays and numbers of what a function returns."""
    if hasattr(result, "statistic"):
        return [result.statistic, result.pvalue]
    return list(result) if isinstance(result, tuple) else [result]


@pytest.mark.parametrize("name", CALLS)
def test_scipy(name: str) -> None:
    call = CALLS[name]
    got, expected = parts(call(ps.asarray)), parts(call(lambda a: a))
    assert len(got) == len(expected)
    for one, other in zip(got, expected, strict=True):
        if isinstance(other, tuple):
            one, other = one[0], other[0]
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=1e-7, atol=1e-9)
    if name not in NUMPY_INSIDE:
        assert any(isinstance(each, ps.Array) for each in got)


def test_any_ufunc_of_scipys_works_tile_by_tile() -> None:
    x = ps.asarray(A)
    y = special.erfinv(x)
    assert isinstance(y, ps.Array)
    np.testing.assert_allclose(np.asarray(y), special.erfinv(A))
