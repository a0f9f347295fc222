# SPDX-License-Identifier: Apache-2.0
"""Random numbers: the words of the stream, that nothing changes them, and that they are spread as they should be."""

from __future__ import annotations

import math
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from sweep import Numbers, budget_left

import penstock as ps
from penstock.random import Generator, default_rng

N = 200_000


# What default_rng(12345) gives, call after call, on every machine and in every version.
FIXED = {
    "random": [0.5978008857316709, 0.975662345214223, 0.7993360460693523],
    "normal": [-0.8848478670699239, 0.2874082370796133, -0.023844548905268933],
    "exponential": [1.4858007052601303, 0.0441643125052413, 0.8664746288205731],
    "integers": [66, 79, 68, 55, 61, 48],
    "permutation": [5, 6, 7, 3, 0, 1, 4, 2],
}


def threefry(counter: int, key: int) -> int:
    """The cipher in whole numbers, from the paper."""
    mask = 0xFFFFFFFF
    keys = [key & mask, key >> 32]
    keys.append(0x1BD11BDA ^ keys[0] ^ keys[1])
    x = [(counter + keys[0]) & mask, ((counter >> 32) + keys[1]) & mask]
    for r in range(20):
        x[0] = (x[0] + x[1]) & mask
        turn = (13, 15, 26, 6, 17, 29, 16, 24)[r % 8]
        x[1] = ((x[1] << turn | x[1] >> (32 - turn)) & mask) ^ x[0]
        if r % 4 == 3:
            x[0] = (x[0] + keys[(r // 4 + 1) % 3]) & mask
            x[1] = (x[1] + keys[(r // 4 + 2) % 3] + r // 4 + 1) & mask
    return x[0] | x[1] << 32


def words(generator: Generator, n: int) -> list[int]:
    return [threefry(generator.position + i, generator.key) for i in range(n)]


def values(x: ps.Array) -> Numbers:
    return np.asarray(x)


class TestStream:
    """Which words a call takes, and what it makes of them."""

    def test_the_key_is_numpys_seed_sequence(self) -> None:
        for seed in (0, 1, 2**70, [1, 2, 3]):
            assert default_rng(seed).key == int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0])
        assert default_rng().key != default_rng().key
        g = default_rng(3)
        assert default_rng(g) is g
        assert repr(g) == f"Generator(Threefry-2x32-20, key=0x{g.key:016x}, position=0)"

    def test_numbers_are_made_of_words(self) -> None:
        g = default_rng(42)
        expected = words(g, 5)
        np.testing.assert_array_equal(values(g.random(5)), [(w >> 11) * 2.0**-53 for w in expected])
        expected = words(g, 3)
        got = values(g.random(3, dtype="float32"))
        np.testing.assert_array_equal(got, np.array([w >> 40 for w in expected], "float32") * np.float32(2.0**-24))
        expected = words(g, 3)
        assert g.bytes(20) == b"".join(w.to_bytes(8, "little") for w in expected)[:20]
        expected = words(g, 6)
        got = values(g.integers(-5, 1000, 3))
        fractions = [expected[2 * i] << 64 | expected[2 * i + 1] for i in range(3)]
        np.testing.assert_array_equal(got, [-5 + (f * 1005 >> 128) for f in fractions])
        expected = words(g, 4)
        want = [-math.log((w | 1) / 2**64) for w in expected]
        np.testing.assert_allclose(values(g.standard_exponential(4)), want, rtol=1e-15)
        expected = words(g, 4)
        want = [-NormalDist().inv_cdf((w << 1 & 2**64 - 1 | 1) / 2**65) * (-1) ** (w >> 63) for w in expected]
        np.testing.assert_allclose(values(g.standard_normal((2, 2))).ravel(), want, rtol=1e-14)
        assert g.position == 5 + 3 + 3 + 6 + 4 + 4

    def test_these_numbers_never_change(self) -> None:
        g = default_rng(12345)
        assert g.key == 0xB5AE6482A03D837C
        assert values(g.random(3)).tolist() == FIXED["random"]
        assert values(g.standard_normal(3)).tolist() == FIXED["normal"]
        assert values(g.standard_exponential(3)).tolist() == FIXED["exponential"]
        assert values(g.integers(0, 100, 6)).tolist() == FIXED["integers"]
        assert values(g.permutation(8)).tolist() == FIXED["permutation"]

    def test_one_call_is_as_good_as_two(self) -> None:
        a, b = default_rng(1), default_rng(1)
        np.testing.assert_array_equal(np.concatenate([a.normal(size=7), a.normal(size=5)]), values(b.normal(size=12)))
        np.testing.assert_array_equal(
            np.concatenate([a.integers(9, size=7), a.integers(9, size=5)]), values(b.integers(9, size=12))
        )
        assert a.position == b.position

    def test_numbers_stay_when_looked_at_again(self) -> None:
        x = default_rng(2).random((300, 200))
        np.testing.assert_array_equal(values(x[7, 3:9]), values(x)[7, 3:9])
        np.testing.assert_array_equal(values(x.T[5]), values(x).T[5])

    def test_streams_of_children_differ(self) -> None:
        g = default_rng(5)
        children = [*g.spawn(3), *g.spawn(2)]
        assert len({each.key for each in (g, *children)}) == 6
        assert [each.key for each in default_rng(5).spawn(3)] == [each.key for each in children[:3]]

    def test_moved_and_pickled(self) -> None:
        g = default_rng(6)
        first = values(g.random(4))
        copy = pickle.loads(pickle.dumps(g))
        np.testing.assert_array_equal(values(copy.random(3)), values(g.random(3)))
        np.testing.assert_array_equal(values(g.advance(-7).random(4)), first)
        with pytest.raises(ValueError, match=r"2\*\*63"):
            g.advance(2**63)
        with pytest.raises(ValueError, match=r"2\*\*63"):
            g.advance(-5)


PROGRAM = """
import hashlib, sys
import numpy as np
import penstock as ps
from penstock.random import default_rng
g = default_rng(7)
made = [g.random(70_001), g.random(33, "float32"), g.standard_normal(70_001), g.exponential(2.0, 999)]
made += [g.integers(17, size=5000), g.laplace(size=99), g.rayleigh(size=99), g.standard_cauchy(99)]
made += [g.permutation(500), g.choice(50, 20, replace=False)]
print(hashlib.sha256(b"".join(np.asarray(each).tobytes() for each in made)).hexdigest())
"""


def test_no_target_thread_count_or_level_changes_a_bit() -> None:
    def run(**settings: str) -> str:
        env = {**os.environ, **settings}
        done = subprocess.run([sys.executable, "-c", PROGRAM], env=env, capture_output=True, check=True, text=True)
        return done.stdout

    results = {run(PENSTOCK_SIMD=target) for target in ps.show_config()["targets"]}
    results |= {run(PENSTOCK_THREADS="1"), run(PENSTOCK_LEVEL="none"), run(PENSTOCK_DEBUG_OUTER="1")}
    assert len(results) == 1


def test_no_budget_changes_a_bit(tmp_path: Path) -> None:
    want = values(default_rng(8).normal(3.0, 2.0, 400_000))
    with budget_left(1 << 20):
        ps.save(default_rng(8).normal(3.0, 2.0, 400_000), tmp_path / "x.npy")
        mean = float(ps.mean(default_rng(8).normal(3.0, 2.0, 400_000)))
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), want)
    assert mean == pytest.approx(want.mean())


def distance(x: Numbers, cdf: Callable[[float], float]) -> float:
    """Kolmogorov's distance between draws and their distribution, times sqrt(n): above 1.95 in one of 1000."""
    x = np.sort(x)
    share = np.array([cdf(each) for each in x.tolist()])
    n = x.size
    steps = np.arange(n + 1) / n
    return float(max(np.max(steps[1:] - share), np.max(share - steps[:-1])) * math.sqrt(n))


NORMAL = NormalDist()
DISTRIBUTIONS: list[tuple[str, tuple[Any, ...], Callable[[float], float]]] = [
    ("random", (), lambda x: x),
    ("uniform", (-2.0, 6.0), lambda x: (x + 2) / 8),
    ("standard_normal", (), NORMAL.cdf),
    ("normal", (1.0, 3.0), NormalDist(1, 3).cdf),
    ("lognormal", (0.5, 0.25), lambda x: NormalDist(0.5, 0.25).cdf(math.log(x))),
    ("standard_exponential", (), lambda x: -math.expm1(-x)),
    ("exponential", (2.5,), lambda x: -math.expm1(-x / 2.5)),
    ("laplace", (1.0, 2.0), lambda x: 0.5 + math.copysign(0.5 - math.exp(-abs(x - 1) / 2) / 2, x - 1)),
    ("rayleigh", (2.0,), lambda x: -math.expm1(-x * x / 8)),
    ("weibull", (1.7,), lambda x: -math.expm1(-(x**1.7))),
    ("standard_cauchy", (), lambda x: 0.5 + math.atan(x) / math.pi),
]


@pytest.mark.parametrize(("name", "parameters", "cdf"), DISTRIBUTIONS, ids=lambda each: str(each))
def test_distributions(name: str, parameters: tuple[Any, ...], cdf: Callable[[float], float]) -> None:
    x = values(getattr(default_rng(11), name)(*parameters, size=N))
    assert x.dtype == np.float64
    assert distance(x, cdf) < 1.95
    # Neighbours have nothing to do with each other.
    ranks = np.argsort(np.argsort(x)) / N - 0.5
    assert abs(np.mean(ranks[1:] * ranks[:-1])) * 12 < 4 / math.sqrt(N)


def spread(counts: Numbers, expected: Any) -> float:
    """Chi squared as a number of deviations."""
    chi = float((((counts - expected) ** 2) / expected).sum())
    return (chi - (counts.size - 1)) / math.sqrt(2 * (counts.size - 1))


def test_bits_are_even() -> None:
    w = np.frombuffer(default_rng(12).bytes(8 * N), "<u8")
    bits = np.unpackbits(w.view("u1")).reshape(N, 64)
    assert abs(bits.mean(axis=0) - 0.5).max() < 5 * 0.5 / math.sqrt(N)
    both = np.corrcoef(bits.T)
    assert abs(both - np.eye(64)).max() < 6 / math.sqrt(N)
    assert abs(spread(np.bincount(w.view("u1"), minlength=256), 8 * N / 256)) < 4


class TestIntegers:
    """Whole numbers of every dtype, and their ranges."""

    def test_every_number_is_as_likely(self) -> None:
        g = default_rng(13)
        for n in (2, 3, 7, 10, 1000):
            assert abs(spread(np.bincount(values(g.integers(n, size=N)), minlength=n), N / n)) < 4

    @pytest.mark.parametrize("dtype", ["bool", *(f"{k}{b}" for k in ("int", "uint") for b in (8, 16, 32, 64))])
    def test_the_whole_range_of_a_dtype(self, dtype: str) -> None:
        low, high = (0, 1) if dtype == "bool" else (int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))
        x = values(default_rng(14).integers(low, high, 4000, dtype, endpoint=True))
        assert x.dtype == np.dtype(dtype)
        middle = (low + high) // 2
        assert abs(int((x > middle).sum()) - 2000) < 5 * math.sqrt(1000)
        assert abs(int((x % 2).sum()) - 2000) < 5 * math.sqrt(1000)
        one = values(default_rng(14).integers(high, high + 1, 3, dtype))
        np.testing.assert_array_equal(one, np.full(3, high, dtype))

    def test_bounds_that_are_arrays(self) -> None:
        x = values(default_rng(15).integers([0, 1, -5], [[5], [12]], (4000, 2, 3), endpoint=True))
        np.testing.assert_array_equal(x.min(axis=0), [[0, 1, -5], [0, 1, -5]])
        np.testing.assert_array_equal(x.max(axis=0), [[5, 5, 5], [12, 12, 12]])

    @pytest.mark.parametrize(
        ("args", "error"),
        [
            ((5, 5), ValueError), ((0,), ValueError), ((0, 300, 3, "int8"), ValueError),
            ((-1, 3, 3, "uint8"), ValueError), ((0, 3, 3, "float32"), TypeError), ((0, 3, -1), ValueError),
            (([0, 3], [2, 3]), ValueError), ((0.5, 3), TypeError), (([0.5], [3]), TypeError),
            (([0], [300], 1, "int8"), ValueError), (([-(2**63)], [2**63 - 1]), ValueError),
        ],
    )  # fmt: skip
    def test_what_is_refused(self, args: tuple[Any, ...], error: type[Exception]) -> None:
        with pytest.raises(error):
            default_rng(1).integers(*args)


class TestOrders:
    """Permutations and choices."""

    def test_every_order_is_as_likely(self) -> None:
        g = default_rng(16)
        x = values(g.permuted(np.broadcast_to(np.arange(4), (N // 10, 4)), axis=1))
        assert (np.sort(x, axis=1) == np.arange(4)).all()
        counts = np.unique(x @ [64, 16, 4, 1], return_counts=True)[1]
        assert counts.size == 24
        assert abs(spread(counts, N / 240)) < 4

    def test_permutations(self) -> None:
        x = np.arange(24).reshape(4, 6)
        for axis in (0, 1, -1):
            got = values(default_rng(17).permutation(x, axis=axis))
            np.testing.assert_array_equal(np.sort(got, axis=axis), x)
            order = values(default_rng(17).permutation(x.shape[axis]))
            np.testing.assert_array_equal(got, np.take(x, order, axis=axis))
        whole = values(default_rng(17).permuted(x))
        assert whole.shape == x.shape
        np.testing.assert_array_equal(np.sort(whole, axis=None), np.arange(24))
        for y in (x.copy(), ps.asarray(x.copy())):
            default_rng(17).shuffle(y)
            np.testing.assert_array_equal(np.asarray(y), values(default_rng(17).permutation(x)))
        with pytest.raises(ValueError, match="no parts"):
            default_rng(1).permutation(1.5)

    def test_choices(self) -> None:
        g = default_rng(18)
        p = np.array([0.1, 0.0, 0.6, 0.3])
        x = values(g.choice(4, N, p=p))
        counts = np.bincount(x, minlength=4)
        assert counts[1] == 0
        assert abs(spread(np.delete(counts, 1), N * np.delete(p, 1))) < 4
        assert abs(spread(np.bincount(values(g.choice(5, N))), N / 5)) < 4
        assert values(g.choice([[1, 2], [3, 4]], 3, axis=1)).shape == (2, 3)
        assert float(g.choice([7.0])) == 7.0

    def test_choices_without_replacement(self) -> None:
        g = default_rng(19)
        x = values(g.choice(100, (4, 5), replace=False))
        assert len(set(x.ravel().tolist())) == 20
        p = [0.5, 0.3, 0.2]
        first = np.array([values(g.choice(3, 2, replace=False, p=p)) for _ in range(3000)])
        assert abs(spread(np.bincount(first[:, 0], minlength=3), 3000 * np.array(p))) < 4
        # The second is drawn from what is left: 1 after 0 in 0.5 * 0.6 of the draws.
        pairs = int(((first[:, 0] == 0) & (first[:, 1] == 1)).sum())
        assert abs(pairs - 900) < 4 * math.sqrt(900 * 0.7)

    @pytest.mark.parametrize(
        ("call", "says"),
        [
            (lambda g: g.choice(3, 4, replace=False), "4 of 3"),
            (lambda g: g.choice(3, 3, replace=False, p=[1, 0, 0]), "3 of 1"),
            (lambda g: g.choice(3, p=[0.5, 0.5]), "each of 3"),
            (lambda g: g.choice(3, p=[0.5, 0.5, 0.5]), "1.5"),
            (lambda g: g.choice(3, p=[1.5, -0.5, 0]), "-0.5"),
            (lambda g: g.choice([], 2), "nothing to choose"),
            (lambda g: g.normal(0, -1), "scale is -1"),
            (lambda g: g.bytes(-1), "-1"),
            (lambda g: g.normal([1, 2], 1, 3), "broadcast"),
        ],
    )
    def test_what_is_refused(self, call: Callable[[Generator], Any], says: str) -> None:
        with pytest.raises(ValueError, match=says):
            call(default_rng(1))


def test_sizes_and_parameters() -> None:
    g = default_rng(20)
    assert g.random().shape == ()
    assert g.random(0).shape == (0,)
    assert g.random((2, 3)).shape == (2, 3)
    assert g.normal([0.0, 1.0], [[1.0], [2.0]]).shape == (2, 2)
    assert g.standard_normal(3, dtype="float32").dtype == ps.float32
    np.testing.assert_array_equal(values(g.normal([5.0, 6.0], 0)), [5, 6])
    out = np.empty(4)
    assert g.random(4, out=out) is out
    assert (out > 0).all()
    with pytest.raises(TypeError, match="float32 or float64"):
        g.random(3, dtype="int8")
    with pytest.raises(TypeError, match="real"):
        g.normal(1j)


# The methods by how their docstrings' line "Dtypes: ..." begins.
OF_DTYPES: dict[str, list[str]] = {
    "float32 or float64, as ``dtype`` says.": ["random", "standard_normal", "standard_exponential"],
    "integers and bool, as ``dtype`` says; bounds are integers": ["integers"],
    "float64; parameters are real.": [
        "uniform",
        "normal",
        "lognormal",
        "exponential",
        "laplace",
        "rayleigh",
        "weibull",
    ],
    "float64.": ["standard_cauchy"],
    "any; the result has that of x": ["permutation", "permuted"],
    "any; the result has that of a, of a number int64.": ["choice"],
    "any.": ["shuffle"],
}
KINDS = ("bool", "int8", "uint64", "float32", "complex64")


def method(name: str) -> Callable[..., Any]:
    return getattr(default_rng(0), name)  # type: ignore[no-any-return]


def test_each_method_says_its_dtypes() -> None:
    for begin, names in OF_DTYPES.items():
        for name in names:
            said = " ".join((getattr(Generator, name).__doc__ or "").split())
            assert f"Dtypes: {begin}" in said, name
    said_of = {name for name in vars(Generator) if "Dtypes: " in (getattr(Generator, name).__doc__ or "")}
    assert said_of == {name for names in OF_DTYPES.values() for name in names}


@pytest.mark.parametrize("name", ["random", "standard_normal", "standard_exponential"])
def test_dtypes_that_are_asked_for(name: str) -> None:
    assert method(name)(3).dtype == ps.float64
    for dtype in ("float32", ps.float64, np.float32):
        assert values(method(name)(3, dtype=dtype)).dtype == np.dtype(str(ps.dtype(dtype)))
    for dtype in ("int8", "complex64", "float16", "bool", "nonsense"):
        with pytest.raises(ps.errors.DTypeError):
            method(name)(3, dtype=dtype)


def test_dtypes_of_integers() -> None:
    for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool"):
        assert values(method("integers")(0, 2, 5, dtype=name)).dtype == name
        bounds = np.array([1, 1], name)
        if name != "uint64":
            assert values(method("integers")(bounds, endpoint=True)).shape == (2,)
    for dtype in ("float64", "complex64", "float16"):
        with pytest.raises(ps.errors.DTypeError, match="integer dtype or bool"):
            method("integers")(3, dtype=dtype)
    for bounds in (np.array([1, 2], "uint64"), np.array([1.5, 2]), np.array([1j])):
        with pytest.raises(ps.errors.DTypeError, match="int64"):
            method("integers")(bounds)


@pytest.mark.parametrize("name", OF_DTYPES["float64; parameters are real."])
def test_dtypes_of_parameters(name: str) -> None:
    for kind in ("bool", "int8", "uint64", "float32", "float64"):
        assert values(method(name)(np.ones(3, kind))).dtype == np.float64
    with pytest.raises(ps.errors.DTypeError, match="real"):
        method(name)(np.ones(3, "complex64"))
    assert values(method("standard_cauchy")(3)).dtype == np.float64


@pytest.mark.parametrize("kind", KINDS)
def test_dtypes_of_what_is_chosen_from(kind: str) -> None:
    x = np.array([0, 1, 1], kind)
    for name in ("permutation", "permuted", "choice"):
        assert values(method(name)(x)).dtype == kind
    assert method("permutation")(4).dtype == method("choice")(4).dtype == ps.int64
    shuffled = ps.asarray(x, copy=True)
    method("shuffle")(shuffled)
    assert shuffled.dtype == kind
