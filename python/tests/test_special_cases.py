# SPDX-License-Identifier: Apache-2.0
"""The special cases that the array API standard lists for its elementwise functions, each with a sweep of values.

A rule reads ``operands -> result``. An operand is a set of numbers (``pos``: positive finite ones) or one number; the
result is a number, or an expression of the operands x and y. Of complex rules both sides have two parts, and ``~``
stands before a part whose sign is left open.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from sweep import Numbers, assert_same_bits

import penstock as ps
from penstock import _core

REAL = """
abs: nan -> nan; -0 -> 0; -inf -> inf; finite -> abs(x)
acos: nan -> nan; >1 -> nan; <-1 -> nan; 1 -> 0
acosh: nan -> nan; <1 -> nan; 1 -> 0; inf -> inf
add: nan any -> nan; any nan -> nan; inf -inf -> nan; -inf inf -> nan; inf inf -> inf; -inf -inf -> -inf
add: inf finite -> inf; -inf finite -> -inf; finite inf -> inf; finite -inf -> -inf; -0 -0 -> -0; -0 0 -> 0
add: 0 -0 -> 0; 0 0 -> 0; zero nonzero -> y; nonzero zero -> x; 2.5 -2.5 -> 0; -3 3 -> 0
asin: nan -> nan; >1 -> nan; <-1 -> nan; 0 -> 0; -0 -> -0
asinh: nan -> nan; 0 -> 0; -0 -> -0; inf -> inf; -inf -> -inf
atan: nan -> nan; 0 -> 0; -0 -> -0; inf -> pi/2; -inf -> -pi/2
atan2: nan any -> nan; any nan -> nan; pos zero -> pi/2; neg zero -> -pi/2; inf zero -> pi/2; -inf zero -> -pi/2
atan2: 0 pos -> 0; 0 0 -> 0; 0 -0 -> pi; 0 neg -> pi; -0 pos -> -0; -0 0 -> -0; -0 -0 -> -pi; -0 neg -> -pi
atan2: 0 inf -> 0; 0 -inf -> pi; -0 inf -> -0; -0 -inf -> -pi; pos inf -> 0; pos -inf -> pi; neg inf -> -0
atan2: neg -inf -> -pi; inf finite -> pi/2; -inf finite -> -pi/2; inf inf -> pi/4; inf -inf -> 3*pi/4
atan2: -inf inf -> -pi/4; -inf -inf -> -3*pi/4
atanh: nan -> nan; <-1 -> nan; >1 -> nan; -1 -> -inf; 1 -> inf; 0 -> 0; -0 -> -0
ceil: whole -> x; inf -> inf; -inf -> -inf; 0 -> 0; -0 -> -0; nan -> nan
clip: nan any any -> nan; any nan any -> nan; any any nan -> nan
conj: any -> x
copysign: number <0 -> -abs(x); number -0 -> -abs(x); number 0 -> abs(x); number >0 -> abs(x)
cos: nan -> nan; zero -> 1; inf -> nan; -inf -> nan
cosh: nan -> nan; zero -> 1; inf -> inf; -inf -> inf
divide: nan any -> nan; any nan -> nan; infinite infinite -> nan; zero zero -> nan; 0 >0 -> 0; -0 >0 -> -0
divide: 0 <0 -> -0; -0 <0 -> 0; >0 0 -> inf; >0 -0 -> -inf; <0 0 -> -inf; <0 -0 -> inf; inf pos -> inf
divide: inf neg -> -inf; -inf pos -> -inf; -inf neg -> inf; pos inf -> 0; pos -inf -> -0; neg inf -> -0; neg -inf -> 0
equal: nan any -> 0; any nan -> 0; inf inf -> 1; -inf -inf -> 1; zero zero -> 1; finite finite -> x == y
exp: nan -> nan; zero -> 1; inf -> inf; -inf -> 0
expm1: nan -> nan; 0 -> 0; -0 -> -0; inf -> inf; -inf -> -1
floor: whole -> x; inf -> inf; -inf -> -inf; 0 -> 0; -0 -> -0; nan -> nan
floor_divide: nan any -> nan; any nan -> nan; infinite infinite -> nan; zero zero -> nan; 0 >0 -> 0; -0 >0 -> -0
floor_divide: 0 <0 -> -0; -0 <0 -> 0; >0 0 -> inf; >0 -0 -> -inf; <0 0 -> -inf; <0 -0 -> inf; inf pos -> inf
floor_divide: inf neg -> -inf; -inf pos -> -inf; -inf neg -> inf; pos inf -> 0; pos -inf -> -0; neg inf -> -0
floor_divide: neg -inf -> 0
greater: nan any -> 0; any nan -> 0; number number -> x > y
greater_equal: nan any -> 0; any nan -> 0; number number -> x >= y
hypot: infinite any -> inf; any infinite -> inf; zero number -> abs(y); number zero -> abs(x); finite nan -> nan
hypot: nan finite -> nan; nan nan -> nan
isfinite: infinite -> 0; nan -> 0; finite -> 1
isinf: infinite -> 1; nan -> 0; finite -> 0
isnan: nan -> 1; number -> 0
less: nan any -> 0; any nan -> 0; number number -> x < y
less_equal: nan any -> 0; any nan -> 0; number number -> x <= y
log: nan -> nan; <0 -> nan; zero -> -inf; 1 -> 0; inf -> inf
log1p: nan -> nan; <-1 -> nan; -1 -> -inf; -0 -> -0; 0 -> 0; inf -> inf
log2: nan -> nan; <0 -> nan; zero -> -inf; 1 -> 0; inf -> inf
log10: nan -> nan; <0 -> nan; zero -> -inf; 1 -> 0; inf -> inf
logaddexp: nan any -> nan; any nan -> nan; inf number -> inf; number inf -> inf; -inf nonzero -> y; nonzero -inf -> x
logaddexp: -inf -inf -> -inf
logical_and: zero any -> 0; any zero -> 0; nan nan -> 1
logical_not: zero -> 1; nonzero -> 0; nan -> 0; infinite -> 0
logical_or: nan any -> 1; zero zero -> 0
logical_xor: nan nan -> 0; nan zero -> 1; zero inf -> 1
maximum: nan any -> nan; any nan -> nan; number -inf -> x; inf number -> inf; 0 -0 -> 0; -0 0 -> 0
minimum: nan any -> nan; any nan -> nan; number inf -> x; -inf number -> -inf; 0 -0 -> -0; -0 0 -> -0
multiply: nan any -> nan; any nan -> nan; infinite zero -> nan; zero infinite -> nan; inf >0 -> inf; inf <0 -> -inf
multiply: -inf >0 -> -inf; -inf <0 -> inf; >0 inf -> inf; <0 inf -> -inf; 0 pos -> 0; 0 neg -> -0; -0 neg -> 0
multiply: -0 -0 -> 0; -0 0 -> -0
negative: nan -> nan; 0 -> -0; -0 -> 0; inf -> -inf; -inf -> inf; finite -> -x
nextafter: nan any -> nan; any nan -> nan; -0 0 -> 0; 0 -0 -> -0; inf inf -> inf; -inf -inf -> -inf
not_equal: nan any -> 1; any nan -> 1; inf -inf -> 1; -inf inf -> 1; zero zero -> 0; finite finite -> x != y
positive: nan -> nan; number -> x
pow: not1 nan -> nan; any 0 -> 1; any -0 -> 1; nan nonzero -> nan; |>1| inf -> inf; |>1| -inf -> 0; |1| infinite -> 1
pow: 1 any -> 1; |<1| inf -> 0; |<1| -inf -> inf; inf >0 -> inf; inf <0 -> 0; -inf odd -> -inf; -inf even -> inf
pow: -inf -odd -> -0; -inf -even -> 0; 0 >0 -> 0; 0 <0 -> inf; -0 odd -> -0; -0 even -> 0; -0 -odd -> -inf
pow: -0 -even -> inf; neg 0.5 -> nan; neg -2.5 -> nan
real: any -> x
reciprocal: nan -> nan; 0 -> inf; -0 -> -inf; inf -> 0; -inf -> -0
remainder: nan any -> nan; any nan -> nan; infinite infinite -> nan; zero zero -> nan; 0 >0 -> 0; -0 >0 -> 0
remainder: 0 <0 -> -0; -0 <0 -> -0; nonzero zero -> nan; infinite finite -> nan; pos inf -> x; pos -inf -> -inf
remainder: neg inf -> inf; neg -inf -> x
round: whole -> x; inf -> inf; -inf -> -inf; 0 -> 0; -0 -> -0; nan -> nan; 0.5 -> 0; 1.5 -> 2; -2.5 -> -2; -0.5 -> -0
sign: <0 -> -1; zero -> 0; >0 -> 1; nan -> nan
signbit: 0 -> 0; -0 -> 1; inf -> 0; -inf -> 1; pos -> 0; neg -> 1
sin: nan -> nan; 0 -> 0; -0 -> -0; infinite -> nan
sinh: nan -> nan; 0 -> 0; -0 -> -0; inf -> inf; -inf -> -inf
sqrt: nan -> nan; <0 -> nan; 0 -> 0; -0 -> -0; inf -> inf
square: nan -> nan; zero -> 0; infinite -> inf
subtract: nan any -> nan; any nan -> nan; inf inf -> nan; -inf -inf -> nan; inf -inf -> inf; -inf inf -> -inf
subtract: inf finite -> inf; finite inf -> -inf; -0 0 -> -0; 0 0 -> 0; 0 -0 -> 0; -0 -0 -> 0; nonzero zero -> x
tan: nan -> nan; 0 -> 0; -0 -> -0; infinite -> nan
tanh: nan -> nan; 0 -> 0; -0 -> -0; inf -> 1; -inf -> -1
trunc: whole -> x; inf -> inf; -inf -> -inf; 0 -> 0; -0 -> -0; nan -> nan
"""
COMPLEX = """
abs: infinite any -> inf; any infinite -> inf; zero number -> abs(b); number zero -> abs(a); nan finite -> nan
abs: finite nan -> nan; nan nan -> nan
acos: zero 0 -> pi/2 -0; zero nan -> pi/2 nan; finite inf -> pi/2 -inf; nonzero nan -> nan nan; -inf pos -> pi -inf
acos: inf pos -> 0 -inf; -inf inf -> 3*pi/4 -inf; inf inf -> pi/4 -inf; infinite nan -> nan ~inf; nan finite -> nan nan
acos: nan inf -> nan -inf; nan nan -> nan nan
acosh: zero 0 -> 0 pi/2; finite inf -> inf pi/2; nonzero nan -> nan nan; 0 nan -> nan ~pi/2; -inf pos -> inf pi
acosh: inf pos -> inf 0; -inf inf -> inf 3*pi/4; inf inf -> inf pi/4; infinite nan -> inf nan; nan finite -> nan nan
acosh: nan inf -> inf nan; nan nan -> nan nan
asinh: 0 0 -> 0 0; pos inf -> inf pi/2; finite nan -> nan nan; inf pos -> inf 0; inf inf -> inf pi/4; nan 0 -> nan 0
asinh: nan nonzero -> nan nan; nan inf -> ~inf nan; nan nan -> nan nan
atanh: 0 0 -> 0 0; 0 nan -> 0 nan; 1 0 -> inf 0; pos inf -> 0 pi/2; nonzero nan -> nan nan; inf pos -> 0 pi/2
atanh: inf inf -> 0 pi/2; inf nan -> 0 nan; nan finite -> nan nan; nan inf -> ~0 pi/2; nan nan -> nan nan
conj: any any -> a -b
cosh: 0 0 -> 1 0; 0 inf -> nan ~0; 0 nan -> nan ~0; nonzero inf -> nan nan; nonzero nan -> nan nan; inf 0 -> inf 0
cosh: inf nonzero -> inf*cos(b) inf*sin(b); inf inf -> ~inf nan; inf nan -> inf nan; nan zero -> nan ~0
cosh: nan nonzero -> nan nan; nan nan -> nan nan
exp: zero 0 -> 1 0; finite inf -> nan nan; finite nan -> nan nan; inf 0 -> inf 0; -inf finite -> 0*cos(b) 0*sin(b)
exp: inf nonzero -> inf*cos(b) inf*sin(b); -inf inf -> ~0 ~0; inf inf -> ~inf nan; -inf nan -> ~0 ~0
exp: inf nan -> ~inf nan; nan 0 -> nan 0; nan nonzero -> nan nan; nan nan -> nan nan
expm1: zero 0 -> 0 0; finite inf -> nan nan; finite nan -> nan nan; inf 0 -> inf 0; -inf finite -> -1 0*sin(b)
expm1: inf nonzero -> inf*cos(b) inf*sin(b); -inf inf -> -1 ~0; inf inf -> ~inf nan; -inf nan -> -1 ~0
expm1: inf nan -> ~inf nan; nan 0 -> nan 0; nan nonzero -> nan nan; nan nan -> nan nan
imag: any any -> b
isfinite: nan any -> 0; any nan -> 0; infinite any -> 0; any infinite -> 0; finite finite -> 1
isinf: infinite any -> 1; finite infinite -> 1; nan infinite -> 1; finite finite -> 0
isnan: nan any -> 1; any nan -> 1; number number -> 0
log: -0 0 -> -inf pi; 0 0 -> -inf 0; finite inf -> inf pi/2; finite nan -> nan nan; -inf pos -> inf pi; inf pos -> inf 0
log: -inf inf -> inf 3*pi/4; inf inf -> inf pi/4; infinite nan -> inf nan; nan finite -> nan nan; nan inf -> inf nan
log: nan nan -> nan nan
log1p: -1 0 -> -inf 0; finite inf -> inf pi/2; finite nan -> nan nan; -inf pos -> inf pi; inf pos -> inf 0
log1p: -inf inf -> inf 3*pi/4; inf inf -> inf pi/4; infinite nan -> inf nan; nan finite -> nan nan; nan inf -> inf nan
log1p: nan nan -> nan nan
negative: any any -> -a -b
positive: any any -> a b
real: any any -> a
round: number 0.5 -> round(a) 0; inf -2.5 -> inf -2; nan -0 -> nan -0; -0 nan -> -0 nan
sign: zero zero -> 0 0; nan any -> nan nan; any nan -> nan nan
sinh: 0 0 -> 0 0; 0 inf -> ~0 nan; 0 nan -> ~0 nan; pos inf -> nan nan; pos nan -> nan nan; inf 0 -> inf 0
sinh: inf pos -> inf*cos(b) inf*sin(b); inf inf -> ~inf nan; inf nan -> ~inf nan; nan 0 -> nan 0
sinh: nan nonzero -> nan nan; nan nan -> nan nan
sqrt: zero 0 -> 0 0; any inf -> inf inf; finite nan -> nan nan; -inf pos -> 0 inf; inf pos -> inf 0
sqrt: -inf nan -> nan ~inf; inf nan -> inf nan; nan finite -> nan nan; nan nan -> nan nan
tanh: 0 0 -> 0 0; nonzero inf -> nan nan; 0 inf -> 0 nan; nonzero nan -> nan nan; 0 nan -> 0 nan; inf pos -> 1 0
tanh: inf inf -> 1 ~0; inf nan -> 1 ~0; nan 0 -> nan 0; nan nonzero -> nan nan; nan nan -> nan nan
"""
# Defined through another function of the same value turned by a quarter: f(z) = -1j * g(1j * z).
TURNED = {"asin": "asinh", "atan": "atanh", "sin": "sinh", "tan": "tanh"}
# Of complex numbers these are formulas of real ones, or of functions above.
TEXTBOOK = ("add", "cos", "divide", "log10", "log2", "multiply", "pow", "reciprocal", "square", "subtract")
# The elementwise functions of the standard's version 2025.12.
STANDARD = """
abs acos acosh add asin asinh atan atan2 atanh bitwise_and bitwise_invert bitwise_left_shift bitwise_or
bitwise_right_shift bitwise_xor ceil clip conj copysign cos cosh divide equal exp expm1 floor floor_divide greater
greater_equal hypot imag isfinite isinf isnan less less_equal log log10 log1p log2 logaddexp logical_and logical_not
logical_or logical_xor maximum minimum multiply negative nextafter not_equal positive pow real reciprocal remainder
round sign signbit sin sinh sqrt square subtract tan tanh trunc
"""
DOMAINS = {name: domain for name, _, domain, _ in _core.elementwise_rows()}
# Functions with f(conj(z)) = conj(f(z)).
MIRRORED = ("acos", "acosh", "asinh", "atanh", "cosh", "exp", "expm1", "log", "log1p", "sinh", "sqrt", "tanh")


def numbers(which: str, dtype: str) -> list[float]:
    """The members of a set that are tried, as exactly as the dtype has them."""
    info = np.finfo(dtype)
    small = [float(info.smallest_subnormal), float(info.tiny), float(info.eps)]
    positive = [*small, 0.5, 1.0, 1.5, 2.0, 3.0, 7.75, 20.0, 1e10, float(info.max)]
    negative = [-each for each in positive]
    finite = [*positive, *negative, 0.0, -0.0]
    infinite = [math.inf, -math.inf]
    sets = {
        "pos": positive,
        "neg": negative,
        "zero": [0.0, -0.0],
        "finite": finite,
        "nonzero": [*positive, *negative],
        "infinite": infinite,
        "number": [*finite, *infinite],
        "any": [*finite, *infinite, math.nan],
        "not1": [each for each in [*finite, *infinite, math.nan] if each != 1],
        "whole": [0.0, -0.0, 1.0, -1.0, 20.0, -3.0, 1e10, float(info.max)],
        ">0": [*positive, math.inf],
        "<0": [*negative, -math.inf],
        ">1": [1.0 + float(info.eps), 1.5, 1e10, math.inf],
        "<-1": [-1.0 - float(info.eps), -1.5, -1e10, -math.inf],
        "<1": [1.0 - float(info.eps), 0.5, 0.0, -0.0, -1.5, -math.inf],
        "|>1|": [1.5, -1.5, 1e10, -20.0, math.inf, -math.inf],
        "|<1|": [0.5, -0.5, 0.0, -0.0, *small],
        "|1|": [1.0, -1.0],
        "odd": [1.0, 3.0, 21.0],
        "even": [2.0, 20.0, 0.5, 2.5],
        "-odd": [-1.0, -3.0, -21.0],
        "-even": [-2.0, -20.0, -0.5, -2.5],
    }
    return sets[which] if which in sets else [float(which)]


def value(expression: str, **operands: float) -> float:
    """The number a result stands for. Zeros keep their sign in literals: -0 is no negated integer."""
    if expression in ("0", "-0", "inf", "-inf", "nan"):
        return float(expression)
    names = {"pi": math.pi, "inf": math.inf, "nan": math.nan, "abs": abs, "round": rounded}
    return float(eval(expression, {"cos": math.cos, "sin": math.sin, **names, **operands}))


def rounded(x: float) -> float:
    return math.copysign(round(x), x) if math.isfinite(x) else x


def rules(text: str) -> Iterator[tuple[str, str]]:
    for line in text.strip().splitlines():
        name, _, cases = line.partition(": ")
        yield from ((name, case) for case in cases.split("; "))


def agrees(got: float, want: float, dtype: str, either_sign: bool = False) -> bool:
    """The same bits; where a multiple of pi or a product is meant, its neighbours too."""
    if math.isnan(want) or math.isnan(got):
        return math.isnan(want) and math.isnan(got)
    if either_sign:
        got, want = abs(got), abs(want)
    if want in (0.0, math.inf, -math.inf) or want == round(want):
        return got == want and math.copysign(1, got) == math.copysign(1, want)
    return bool(abs(got - want) <= abs(np.spacing(np.array(want, dtype))))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "rule"), list(rules(REAL)), ids=str)
def test_of_real_numbers(name: str, rule: str, dtype: str) -> None:
    left, _, right = rule.partition(" -> ")
    cases = list(itertools.product(*(numbers(each, dtype) for each in left.split())))
    operands = [np.array(column, dtype) for column in zip(*cases, strict=True)]
    got = np.asarray(getattr(ps, name)(*operands)).tolist()
    for case, one in zip(zip(*(each.tolist() for each in operands), strict=True), got, strict=True):
        want = value(right, **dict(zip("xyz", case, strict=False)))
        assert agrees(one, float(np.array(want, dtype)), dtype), f"{name}{case} = {one}, expected {want}"


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize(("name", "rule"), list(rules(COMPLEX)), ids=str)
def test_of_complex_numbers(name: str, rule: str, dtype: str) -> None:
    left, _, right = rule.partition(" -> ")
    real = "float32" if dtype == "complex64" else "float64"
    cases = list(itertools.product(*(numbers(each, real) for each in left.split())))
    z = pairs(cases, dtype)
    got = np.atleast_1d(np.asarray(getattr(ps, name)(z)))
    parts = [got.real, got.imag] if len(right.split()) == 2 else [got]
    exact = [(float(a), float(b)) for a, b in zip(z.real, z.imag, strict=True)]
    for k, (a, b) in enumerate(exact):
        for part, each in zip(parts, right.split(), strict=True):
            want = value(each.lstrip("~"), a=a, b=b)
            with np.errstate(over="ignore", under="ignore"):
                nearest = float(np.array(want, real))
            message = f"{name}({a}, {b}) = {got[k]}, expected {right}"
            assert agrees(float(part[k]), nearest, real, each.startswith("~")), message


def pairs(cases: Sequence[tuple[float, ...]], dtype: str) -> Numbers:
    """Complex numbers of real and imaginary parts, which arithmetic would mix."""
    real = np.float32 if dtype == "complex64" else np.float64
    return np.array(cases, real).view(dtype).reshape(-1)


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("name", MIRRORED)
def test_of_conjugates(name: str, dtype: str) -> None:
    values = [*numbers("any", "float32")]
    z = pairs(list(itertools.product(values, values)), dtype)
    function = getattr(ps, name)
    above, below = np.asarray(function(z)), np.asarray(function(np.conj(z)))
    # Where the sign of a part is left open, both may have the same.
    assert_same_bits(np.abs(above.real), np.abs(below.real), name)
    assert_same_bits(np.abs(above.imag), np.abs(below.imag), name)
    known = np.isfinite(z.real) & np.isfinite(z.imag)
    assert_same_bits(above[known], np.conj(below[known]), name)


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("name", TURNED)
def test_of_functions_defined_by_others(name: str, dtype: str) -> None:
    values = [*numbers("any", "float32")]
    # The finite rest is the accuracy tests' business.
    cases = [z for z in itertools.product(values, values) if not all(math.isfinite(each) and each for each in z)]
    got = np.asarray(getattr(ps, name)(pairs(cases, dtype)))
    turned = np.asarray(getattr(ps, TURNED[name])(pairs([(-b, a) for a, b in cases], dtype)))
    assert_same_bits(np.abs(got.real), np.abs(turned.imag), name)
    assert_same_bits(np.abs(got.imag), np.abs(turned.real), name)


def test_every_function_has_its_rules() -> None:
    real, complex_ = ({name for name, _ in rules(text)} for text in (REAL, COMPLEX))
    assert STANDARD.split() == sorted(STANDARD.split())
    for name in STANDARD.split():
        domain = DOMAINS[name]
        if domain not in ("kBits", "kInteger", "kComplex"):
            assert name in real
        if domain in ("kFloating", "kNumeric", "kComplex"):
            assert name in complex_ or name in TURNED or name in TEXTBOOK
