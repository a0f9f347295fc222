# SPDX-License-Identifier: Apache-2.0
"""What the engine claims, in the words in which it was set before it was measured, and the rows that show it.

Two threads and float32 unless said; interleaved in one run. A claim that is missed stays as it is: the page says by how
much and why.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class Claim:
    """Work, its bar, and the rows that it is about, as patterns of names."""

    work: str
    bar: str
    rows: tuple[str, ...]

    def covers(self, row: str) -> bool:
        return any(fnmatchcase(row, pattern) for pattern in self.rows)


CLAIMS = (
    Claim(
        "`a+b` fresh, 1e6 / 1e7 / 1e8",
        "≥ 2x / 3x / 3.5x NumPy; ≥ 1.1x / 4x / 5x PyTorch",
        ("add-1e6", "add-1e7", "add-1e8"),
    ),
    Claim(
        "`a+b` with `out=`, 1e6 / 1e7 / 1e8",
        "≥ 2x / 1.8x / 1.8x NumPy; ≥ 1.0x / 1.15x / 1.3x PyTorch",
        ("add-out-*",),
    ),
    Claim(
        "`2*a+3*b-1/(c+1)` fresh, 1e6 / 1e7 / 1e8",
        "≥ 12x / 7x / 15x NumPy; ≥ 10x / 4x / 3.5x numexpr; "
        "≥ 0.9 of a hand-fused C++ loop with the same stores at 1e8, ≥ 0.8 at 1e6 and 1e7",
        ("chain-1e6", "chain-1e7", "chain-1e8"),
    ),
    Claim(
        "50 random chains of 3-12 operations drawn from the table with a fixed key, 1e7, "
        "against C++ generated from the same chains",
        "median ≥ 0.85, none below 0.6",
        ("chains-random",),
    ),
    Claim(
        "chain of 10 operations, 1e7",
        "≥ 12x NumPy, ≥ 3x numexpr, ≥ 1.2x JAX jit and torch.compile",
        ("chain10-1e7",),
    ),
    Claim(
        "sum, mean, max 1e5 / 1e6 / 1e7 / 1e8",
        "≥ 5x / 7x / 3x / 1.3x NumPy; ≥ 1.0x PyTorch at each; ≥ 0.95 of the read ceiling measured in the run at 1e8",
        ("sum-1e?", "mean-1e?", "max-1e?"),
    ),
    Claim("any/all over 1e8 bool", "≥ 3x NumPy", ("any-1e8", "all-1e8")),
    Claim("mean over axis 0 and axis 1 of 10000\N{MULTIPLICATION SIGN}10000", "≥ 2x NumPy each", ("mean-axis-?",)),
    Claim("sin, cos f64 1e6", "≥ 8x NumPy; exp, log ≥ 2x; all ≤ 1 ULP", ("sin-f64", "cos-f64", "exp-f64", "log-f64")),
    Claim(
        "strided (every other element), transposed add, row and column broadcast",
        "≥ 2x NumPy",
        ("strided", "transposed", "row", "column"),
    ),
    Claim(
        "dot 1e5; matmul 1000 and 4000 f32",
        "≥ 1.8x NumPy and PyTorch; matmul ≥ 0.95x the best of NumPy and PyTorch (measure which OpenBLAS to link)",
        ("dot-1e5", "matmul-1000", "matmul-4000"),
    ),
    Claim(
        "equation_of_state f64 4M",
        "≥ 10x NumPy with one thread; ≥ 1.0x JAX and PyTorch with the same threads",
        ("density-1-thread", "density"),
    ),
    Claim(
        "warm 4 GiB `.npy` sum / cold",
        "≥ 1.5x np.memmap / ≥ 0.95 of an O_DIRECT raw reader in the same quadruple",
        ("sum-file-warm", "sum-file-cold"),
    ),
    Claim(
        "10-element add, timed as `ps.evaluate(a + b)`",
        "≤ 1.0x NumPy's time; 1,000 elements ≤ 0.7x",
        ("add-10", "add-1000"),
    ),
)
NO_ROW_BELOW = ("no row of the whole table", "whose interval lies wholly below 0.95x NumPy")
LEAST_OF_NUMPY = 0.95


def of_row(row: str) -> str:
    """The claims that a row is about, in their words; "" where there is none."""
    return "; ".join(f"{claim.work}: {claim.bar}" for claim in CLAIMS if claim.covers(row))
