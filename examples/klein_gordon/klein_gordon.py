# SPDX-License-Identifier: Apache-2.0
"""A Klein-Gordon field on a periodic grid, in plain NumPy: u'' = c^2 laplace(u) - chi^2 u, leapfrog, order 2.

A = -c^2 laplace_h + chi^2 is symmetric; q = 2u - p - dt^2 A u is the next step of u after p. The scheme keeps
H = 1/2 sum[((u - p)/dt)^2 + u (A p)] dx^d exactly, up to rounding. Units: c = dx = 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

CHI = 0.5
# Of the largest stable step: dt^2 (4 d + chi^2) < 4.
SAFETY = 0.9


def time_step(dimensions: int) -> float:
    """0.9 of the largest stable time step."""
    return SAFETY * 2.0 / float(np.sqrt(4.0 * dimensions + CHI**2))


def laplacian(u: Any, xp: Any = np) -> Any:
    """The sum over axes of (1, -2, 1), periodic. `xp` is the array library."""
    neighbours = sum(xp.roll(u, 1, axis=axis) + xp.roll(u, -1, axis=axis) for axis in range(u.ndim))
    return neighbours - 2 * u.ndim * u


def step(u: Any, p: Any, xp: Any = np) -> Any:
    """The field one time step after u; p is the one before it."""
    return 2 * u - p + time_step(u.ndim) ** 2 * (laplacian(u, xp) - CHI**2 * u)


def start(n: int, dimensions: int, seed: int) -> tuple[Any, Any]:
    """A smooth random field at rest on n^dimensions cells: u, and p one step before, second order in time."""
    rng = np.random.default_rng(seed)
    x = 2 * np.pi * np.arange(n) / n
    axes = np.meshgrid(*[x] * dimensions, indexing="ij", sparse=True)
    u = np.zeros((n,) * dimensions)
    for _ in range(4):
        wave = sum(int(k) * axis for k, axis in zip(rng.integers(-3, 4, dimensions), axes, strict=True))
        u += rng.normal() * np.cos(wave + rng.uniform(0, 2 * np.pi))
    p = u + 0.5 * time_step(dimensions) ** 2 * (laplacian(u) - CHI**2 * u)
    return u, p


def energy(u: Any, p: Any) -> float:
    """H of two successive fields."""
    kinetic = np.sum(((u - p) / time_step(u.ndim)) ** 2)
    return 0.5 * float(kinetic + np.sum(u * (CHI**2 * p - laplacian(p))))


def run(n: int = 64, dimensions: int = 3, steps: int = 8, seed: int = 42) -> dict[str, Any]:
    """`steps` steps from the start: the last two fields."""
    u, p = start(n, dimensions, seed)
    for _ in range(steps):
        u, p = step(u, p), u
    return {"u": u, "p": p}
