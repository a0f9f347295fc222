# SPDX-License-Identifier: Apache-2.0
"""scikit-learn with `array_api_dispatch`: estimators and metrics of Penstock arrays give NumPy's answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import penstock as ps

sklearn = pytest.importorskip("sklearn")

from sklearn import metrics  # noqa: E402
from sklearn.decomposition import PCA  # noqa: E402
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis  # noqa: E402
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier  # noqa: E402
from sklearn.metrics import pairwise  # noqa: E402
from sklearn.model_selection import train_test_split  # noqa: E402
from sklearn.naive_bayes import GaussianNB  # noqa: E402
from sklearn.preprocessing import (  # noqa: E402
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    PolynomialFeatures,
    StandardScaler,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 6))
Y = X @ RNG.normal(size=6) + 0.1 * RNG.normal(size=120)
LABELS = (X[:, 0] + X[:, 1] > 0).astype(np.int64)
GUESSES = (X[:, 1] > 0).astype(np.int64)


def pca(solver: str) -> PCA:
    return PCA(3, svd_solver=solver, random_state=0, power_iteration_normalizer="QR")


# Each with the attributes that a fit leaves, and what is asked of the fitted estimator.
ESTIMATORS: dict[str, tuple[Callable[[], Any], list[str], str]] = {
    "PCA-full": (lambda: pca("full"), ["components_", "explained_variance_", "mean_"], "transform"),
    "PCA-covariance": (lambda: pca("covariance_eigh"), ["components_", "singular_values_"], "transform"),
    "PCA-randomized": (lambda: pca("randomized"), ["components_"], "transform"),
    "Ridge": (lambda: Ridge(alpha=0.5, solver="svd"), ["coef_", "intercept_"], "predict"),
    "LDA": (lambda: LinearDiscriminantAnalysis(solver="svd"), ["coef_", "means_", "priors_"], "predict"),
    "RidgeClassifier": (lambda: RidgeClassifier(solver="svd"), ["coef_"], "predict"),
    "LogisticRegression": (lambda: LogisticRegression(solver="lbfgs"), ["coef_"], "predict"),
    "GaussianNB": (GaussianNB, ["theta_", "var_"], "predict"),
    "StandardScaler": (StandardScaler, ["mean_", "scale_"], "transform"),
    "MinMaxScaler": (MinMaxScaler, ["data_min_"], "transform"),
    "MaxAbsScaler": (MaxAbsScaler, ["scale_"], "transform"),
    "Normalizer": (Normalizer, [], "transform"),
    "PolynomialFeatures": (PolynomialFeatures, [], "transform"),
}


def close(got: Any, expected: Any) -> None:
    # Distances are roots of small differences of large numbers.
    np.testing.assert_allclose(np.asarray(got), np.asarray(expected), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_estimator(name: str) -> None:
    make, attributes, asked = ESTIMATORS[name]
    target = Y if name == "Ridge" else LABELS
    expected = make().fit(X, target)
    with sklearn.config_context(array_api_dispatch=True):
        fitted = make().fit(ps.asarray(X), ps.asarray(target))
        for each in attributes:
            close(getattr(fitted, each), getattr(expected, each))
        answer = getattr(fitted, asked)(ps.asarray(X))
    assert isinstance(answer, ps.Array)
    close(answer, getattr(expected, asked)(X))


CLASSIFICATION = [
    "accuracy_score", "zero_one_loss", "f1_score", "precision_score", "recall_score", "jaccard_score", "hamming_loss",
    "confusion_matrix", "balanced_accuracy_score", "cohen_kappa_score", "matthews_corrcoef",
]  # fmt: skip
REGRESSION = [
    "r2_score", "mean_squared_error", "mean_absolute_error", "max_error", "mean_squared_log_error",
    "root_mean_squared_error", "mean_tweedie_deviance", "mean_gamma_deviance", "mean_poisson_deviance",
    "explained_variance_score", "mean_absolute_percentage_error", "mean_pinball_loss", "d2_tweedie_score",
    "median_absolute_error",
]  # fmt: skip
PAIRWISE = [
    "cosine_similarity", "cosine_distances", "euclidean_distances", "linear_kernel", "rbf_kernel", "polynomial_kernel",
    "sigmoid_kernel", "paired_cosine_distances", "paired_euclidean_distances", "chi2_kernel", "laplacian_kernel",
]  # fmt: skip


@pytest.mark.parametrize("name", CLASSIFICATION)
def test_a_metric_of_labels(name: str) -> None:
    metric = getattr(metrics, name)
    with sklearn.config_context(array_api_dispatch=True):
        close(metric(ps.asarray(LABELS), ps.asarray(GUESSES)), metric(LABELS, GUESSES))


@pytest.mark.parametrize("name", REGRESSION)
def test_a_metric_of_numbers(name: str) -> None:
    metric = getattr(metrics, name)
    true, guessed = np.abs(Y) + 1, np.abs(Y + 0.1) + 1
    with sklearn.config_context(array_api_dispatch=True):
        close(metric(ps.asarray(true), ps.asarray(guessed)), metric(true, guessed))


@pytest.mark.parametrize("name", PAIRWISE)
def test_a_metric_of_pairs(name: str) -> None:
    metric, x = getattr(pairwise, name), np.abs(X[:40])
    with sklearn.config_context(array_api_dispatch=True):
        got = metric(ps.asarray(x), ps.asarray(x))
    assert isinstance(got, ps.Array)
    close(got, metric(x, x))


def test_rows_are_split_as_numpys_are() -> None:
    with sklearn.config_context(array_api_dispatch=True):
        got = train_test_split(ps.asarray(X), ps.asarray(Y), random_state=3)
    for one, other in zip(got, train_test_split(X, Y, random_state=3), strict=True):
        close(one, other)


def test_a_file_is_fitted(tmp_path: Any) -> None:
    np.save(tmp_path / "x.npy", X)
    with sklearn.config_context(array_api_dispatch=True):
        close(pca("covariance_eigh").fit(ps.open(tmp_path / "x.npy")).components_, pca("full").fit(X).components_)
