# SPDX-License-Identifier: Apache-2.0
"""Expressions: what they mean, what they refuse, and where the caret stands."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import penstock as ps
from penstock import expression

U = np.linspace(0.5, 2.0, 12, dtype=np.float32).reshape(3, 4)
V = np.arange(1, 13, dtype=np.int32).reshape(3, 4)


def value_of(text: str, **arrays: Any) -> Any:
    return np.asarray(expression.build(text, {name: ps.asarray(each) for name, each in arrays.items()}))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sqrt(u**2 + v**2)", np.sqrt(U.astype(np.float64) ** 2 + V.astype(np.float64) ** 2)),
        ("-u + +u - 2*u/4", -U / 2),
        ("v // 5 + v % 5", V // 5 + V % 5),
        ("(v & 6) | (v ^ 3) | (v << 1) | (v >> 1) | ~v", (V & 6) | (V ^ 3) | (V << 1) | (V >> 1) | ~V),
        ("(u < 1) | (v >= 11)", (U < 1) | (V >= 11)),
        ("where(v == 3, 1, v != 4)", np.where(V == 3, 1, V != 4)),
        ("u.T", U.T),
        ("v[1:, ::-2]", V[1:, ::-2]),
        ("v[-1]", V[-1]),
        ("v[..., None, 2]", V[..., None, 2]),
        ("sum(v, axis=(0, 1))", V.sum()),
        ("mean(v, axis=0, keepdims=True)", V.mean(axis=0, keepdims=True)),
        ("astype(v, float32) * pi", V.astype(np.float32) * np.float32(np.pi)),
        ("max(v) - min(v)", np.int32(11)),
        ("reshape(v, (2, 6))", V.reshape(2, 6)),
        ("concat([v, v], axis=1)", np.concatenate([V, V], axis=1)),
        ("v * (1 + 2) ** 2", V * 9),
        ("minimum(u, inf)", U),
        ("arange(4) * v", np.arange(4) * V),
    ],
)
def test_means_what_numpy_means(text: str, expected: Any) -> None:
    arrays = {name: each for name, each in {"u": U, "v": V}.items() if name in expression.parse(text).names}
    got = value_of(text, **arrays)
    assert got.shape == np.shape(expected)
    np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_calls_every_elementwise_operation() -> None:
    from penstock import _core

    dtypes = {"kBits": ps.int32, "kInteger": ps.int32, "kComplex": ps.complex64}
    for name, arity, domain, _ in _core.elementwise_rows():
        operand = ps.asarray(np.array([1, 0, 1]), dtype=dtypes.get(domain, ps.float32))
        if name == "where":
            operand = ps.astype(operand, ps.bool)
        letters = "abc"[:arity]
        built = expression.build(f"{name}({', '.join(letters)})", dict.fromkeys(letters, operand))
        assert tuple(built.shape) == (3,), name


def test_constants_stay_weak() -> None:
    assert value_of("u * sqrt(2) * pi + 2**3", u=U).dtype == np.float32
    assert value_of("v + maximum(2, 3)", v=V).dtype == np.int32


def test_a_given_name_wins_over_a_constant() -> None:
    np.testing.assert_array_equal(value_of("e * 2", e=V), V * 2)
    assert value_of("e * 2") == pytest.approx(2 * np.e)


def test_one_result_of_a_histogram_can_be_chosen() -> None:
    counts = value_of("histogram(u, bins=3, range=(0, 3))[0]", u=U)
    np.testing.assert_array_equal(counts, np.histogram(U, bins=3, range=(0, 3))[0])


REFUSED = [
    ("", "empty", " "),
    ("a and b", "and", "a and b"),
    ("not a", "logical_not", "not a"),
    ("1 < a < 2", "chained", "1 < a < 2"),
    ("a if b else c", "where", "a if b else c"),
    ("[x for x in a]", "whole arrays", "[x for x in a]"),
    ("(x for x in a)", "whole arrays", "(x for x in a)"),
    ("lambda: a", "functions", "lambda: a"),
    ("(a := 1)", ":=", "a := 1"),
    ("f'{a}'", "text", "f'{a}'"),
    ("a + 'sum'", "without quotes", "'sum'"),
    ("{1: a}", "dictionaries", "{1: a}"),
    ("{a}", "sets", "{a}"),
    ("a in b", "==", "a in b"),
    ("a is b", "==", "a is b"),
    ("sum(*a)", "'*'", "*a"),
    ("sum(**a)", "'**'", "**a"),
    ("a.mean(axis=0)", "mean(a, ...)", ".mean"),
    ("a.__class__", "__class__", ".__class__"),
    ("a.T.__init__.__globals__", "not available", ".__globals__"),
    ("a[0](1)", "only functions", "a[0]"),
    ("(sum)(a)(b)", "only functions", "(sum)(a)"),
    ("await a", "await", "await a"),
    ("a = b", "syntax", "="),
    ("a +", "syntax", ""),
    ("mean(a", "closed", "("),
    ("a; b", "syntax", ";"),
    ("import os", "syntax", "import"),
    ("a ? b", "syntax", "?"),
    ("a \x00 b", "control", "?"),
]


@pytest.mark.parametrize(("text", "says", "marked"), REFUSED)
def test_refuses_with_a_caret_under_the_place(text: str, says: str, marked: str) -> None:
    with pytest.raises(expression.Complaint) as caught:
        expression.parse(text)
    complaint = caught.value
    assert says in str(complaint)
    shown, carets = str(complaint).split("\n")[1:3]
    assert set(carets.strip()) == {"^"}
    begin = carets.index("^")
    assert shown[begin : begin + len(carets.strip())].startswith(marked.strip())


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000,
        "(" * 90 + "a" + ")" * 90 + "[0]" * 300,
        "-" * 9000 + "a",
        "a+" * 4000 + "a",
        "a" * 10_001,
        "a" + "[a" * 500,
    ],
)
def test_refuses_what_is_too_long_or_too_deep(text: str) -> None:
    with pytest.raises(expression.Complaint):
        expression.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "10**10**10",
        "2**-2**64",
        "9**9**9**9",
        "1 << 10**6",
        "(2**63) * (2**63)",
        "99999999999999999999 + a",
        "1 / 0",
        "2.0**10000",
    ],
)
def test_refuses_constants_that_blow_up(text: str) -> None:
    with pytest.raises(ps.errors.ExpressionError):
        expression.build(text, {"a": ps.asarray(V)})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("spede + a", "did you mean speed?"),
        ("men(a)", "did you mean mean?"),
        ("__import__('os')", "without quotes"),
        ("open(a)", "unknown function 'open'"),
        ("eval(a)", "unknown function 'eval'"),
        ("a(1)", "is an array"),
        ("sum", "call it"),
        ("sum + 1", "call it"),
        ("a[speed]", "constant integer"),
        ("a[0.5]", "constant integer"),
        ("a[True]", "constant integer"),
        ("(1, 2) + a", "not a tuple"),
        ("None + a", "not None"),
        ("float32 * a", "not a dtype"),
        ("1 .T", "only an array"),
        ("2[0]", "a number has no elements"),
        ("None", "no array"),
        ("(-8)**0.5", "no real value"),
    ],
)
def test_complaints_of_meaning(text: str, says: str) -> None:
    arrays = {"a": ps.asarray(V), "speed": ps.asarray(U)}
    with pytest.raises((ps.errors.ExpressionError, expression.Complaint)) as caught:
        expression.build(text, arrays)
    assert says in str(caught.value)
    assert "^" in str(caught.value)


def test_an_error_of_an_operation_keeps_its_class_and_gains_the_place() -> None:
    with pytest.raises(ps.errors.ShapeError) as caught:
        expression.build("1 + (a * b)", {"a": ps.asarray(V), "b": ps.asarray(np.ones(5))})
    note = "\n".join(caught.value.__notes__)
    shown, carets = note.split("\n")[-2:]
    assert shown[carets.index("^") :].startswith("a * b")


def test_the_caret_counts_characters_not_bytes() -> None:
    with pytest.raises(expression.Complaint) as caught:
        expression.parse("äöü + a.mean")
    assert caught.value.begin == len("äöü + a")


def test_a_long_expression_is_shown_around_the_place() -> None:
    text = "a + " * 100 + "(a and b)" + " + a" * 100
    with pytest.raises(expression.Complaint) as caught:
        expression.parse(text)
    shown, carets = str(caught.value).split("\n")[1:3]
    assert shown[carets.index("^") :].startswith("a and b")
    assert len(shown) < 120


def test_names_are_those_read_in_order() -> None:
    assert expression.parse("b + sum(a, axis=0) + sum(c*b)").names == ("b", "a", "c")


def parsed_or_complaint(text: str) -> expression.Expression | expression.Complaint:
    try:
        return expression.parse(text)
    except expression.Complaint as complaint:
        return complaint


@given(
    st.one_of(
        st.text(alphabet="ab01.,:()[]{}+-*/%&|^~<>=!'\"\\ \n@;lambdTieforx_é", max_size=60),
        st.text(max_size=40),
    )
)
def test_any_text_is_parsed_or_complained_of(text: str) -> None:
    result = parsed_or_complaint(text)
    if isinstance(result, expression.Complaint):
        assert "^" in str(result)
    else:
        assert all(name.isidentifier() for name in result.names)
