# SPDX-License-Identifier: Apache-2.0
"""What Python asks of objects: membership, formats, divmod, pickles of functions, operators that other classes have."""

from __future__ import annotations

import copy
import operator
import pickle
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import penstock as ps

X = np.arange(6.0).reshape(2, 3)
P = ps.asarray(X)


class TestMembership:
    def test_any_element(self) -> None:
        assert 5 in P
        assert 5.5 not in P
        assert 3 in ps.asarray(3)
        assert True in ps.asarray([False, True])
        assert np.nan not in ps.asarray([np.nan])
        assert X[0] in P
        assert 1 not in ps.zeros((0, 3))

    def test_what_is_no_number_is_in_nothing(self) -> None:
        for other in ("a", None, object(), Fraction(1, 2)):
            assert other not in P

    def test_a_number_that_the_dtype_does_not_hold_is_in_nothing(self) -> None:
        for dtype in ("bool", "int8", "uint8", "int64", "uint64", "float32", "float64", "complex128"):
            x = ps.asarray(np.array([1, 0], dtype))
            for number in (300, -129, -1, 2**63, 2**64 - 1, 2**64, -(2**63) - 1, 10**30, -(10**400)):
                assert number not in x, (dtype, number)
            assert 1 in x
            assert True in x

    def test_integers_that_only_floats_and_64_bits_hold(self) -> None:
        assert 10**30 in ps.asarray([1e30])
        assert 10**30 in ps.asarray([1e30 + 0j])
        assert 2**64 - 1 in ps.asarray(np.array([2**64 - 1], np.uint64))
        assert -(2**63) in ps.asarray([-(2**63)])

    def test_a_shape_that_does_not_broadcast(self) -> None:
        with pytest.raises(ps.errors.ShapeError, match="broadcast"):
            np.ones(4) in P  # noqa: B015

    def test_a_lazy_array_is_looked_at_in_one_pass(self) -> None:
        before = ps.stats()["evaluations"]
        assert 1_999_999 in ps.arange(1_000_000) * 2 + 1
        assert ps.stats()["evaluations"] - before == 1


class TestFormats:
    def test_one_number_as_python_formats_it(self) -> None:
        assert f"{ps.mean(P):.3f}" == "2.500"
        assert f"{ps.asarray(7):>4d}" == "   7"
        assert f"{ps.asarray(1 + 2j):.1f}" == "1.0+2.0j"
        assert f"{ps.asarray(np.float32(0.5)):g}" == "0.5"
        assert f"{P}" == str(P)

    def test_refused(self) -> None:
        with pytest.raises(TypeError, match=r"one number; the array has shape \(2, 3\)"):
            f"{P:.3f}"
        with pytest.raises(ValueError, match="format code 'd'"):
            f"{ps.mean(P):d}"


class TestDivmod:
    @pytest.mark.parametrize("other", [2, -2.5, X[0] + 1, np.float32(3), [1.5, 2.0, 3.0]])
    def test_as_numpys(self, other: Any) -> None:
        for got, expected in ((divmod(P, other), divmod(X, other)), (divmod(other, P + 1), divmod(other, X + 1))):
            for one, two in zip(got, expected, strict=True):
                assert isinstance(one, ps.Array)
                np.testing.assert_array_equal(np.asarray(one), two)
                assert str(one.dtype) == two.dtype.name

    def test_refused(self) -> None:
        with pytest.raises(TypeError, match="integers or floats"):
            divmod(P, 1j)
        with pytest.raises(TypeError, match="unsupported operand"):
            divmod(P, "a")


class TestPickles:
    @pytest.mark.parametrize("function", [ps.add, ps.sum, ps.matmul, ps.where, ps.Array.sum, ps.median])
    def test_functions_are_told_by_name(self, function: Any) -> None:
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            assert pickle.loads(pickle.dumps(function, protocol)) is function
        assert copy.deepcopy({"f": function})["f"] is function

    def test_bound_methods(self) -> None:
        assert float(pickle.loads(pickle.dumps(P.sum))()) == 15

    def test_in_another_process(self, tmp_path: Path) -> None:
        (tmp_path / "call.pickle").write_bytes(pickle.dumps((ps.multiply, P, ps.float32)))
        program = (
            "import pickle, sys; f, x, dtype = pickle.load(open(sys.argv[1], 'rb')); "
            "print(f(x, 2).astype(dtype).tolist(), dtype)"
        )
        command = [sys.executable, "-c", program, str(tmp_path / "call.pickle")]
        result = subprocess.run(command, capture_output=True, text=True, check=True)
        assert result.stdout.split() == f"{(X * 2).tolist()} float32".split()


class Meters:
    """A class with operators of its own, which knows nothing of arrays' protocols."""

    def __radd__(self, other: Any) -> str:
        return f"{other.shape} and metres"

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


class TestOtherClasses:
    def test_their_operators_are_asked(self) -> None:
        added: Any = P + Meters()  # type: ignore[operator]
        assert added == "(2, 3) and metres"
        assert Meters() == P

    def test_sparse_matrices(self) -> None:
        sparse = pytest.importorskip("scipy.sparse")
        matrix = sparse.csr_matrix(np.eye(3) * 2)
        for got, expected in (
            (P @ matrix, X @ matrix),
            (matrix @ P.T, matrix @ X.T),
            (matrix * P[0], matrix * X[0]),
        ):
            np.testing.assert_array_equal(np.asarray(got), np.asarray(expected))
        assert ps.float32.char == "f"

    def test_what_nobody_has_is_a_type_error(self) -> None:
        for operation in (operator.add, operator.mul, operator.lt, operator.floordiv):
            with pytest.raises(TypeError, match=r"'Array' and '(Fraction|object)'"):
                operation(P, Fraction(1, 2))
            with pytest.raises(TypeError):
                operation(object(), P)
        assert (object() == P) is False
        assert (object() != P) is True
        assert [object(), P].index(P) == 1

    def test_arrays_of_no_numbers_are_refused(self) -> None:
        for other in (np.array(["a"]), np.datetime64("2020-01-01"), [[1], [2, 3]], ["a", "b"], np.array([None])):
            with pytest.raises((ps.errors.DTypeError, ps.errors.ArgumentError)):
                P + other


class TestNoNumbers:
    @pytest.mark.parametrize(
        "scalar", [np.datetime64("2020-01-01"), np.timedelta64(3, "s"), np.bytes_(b"ab"), np.str_("a"), np.void(b"ab")]
    )
    def test_scalars_of_numpys(self, scalar: Any) -> None:
        for give in (ps.asarray, ps.sum, lambda x: ps.add(1, x)):
            with pytest.raises(ps.errors.DTypeError):
                give(scalar)

    def test_lists_say_why(self) -> None:
        with pytest.raises(ps.errors.ArgumentError, match=r"uneven lengths: .*inhomogeneous"):
            ps.asarray([[1], [2, 3]])
        with pytest.raises(ps.errors.ArgumentError, match=f"the integer {2**70} is outside 64 bits"):
            ps.asarray([1, 2**70])
        with pytest.raises(ps.errors.DTypeError, match="made of list, holds no numbers"):
            ps.asarray([1, None])
        with pytest.raises(ps.errors.DTypeError, match="made of set, holds no numbers"):
            ps.asarray({1, 2})

    def test_integers_that_no_float_holds(self) -> None:
        large = [2**63 + 1, 2**63 - 1, 0]
        assert ps.asarray(large).dtype == ps.float64  # as NumPy has it
        assert ps.asarray(large, dtype=ps.uint64).tolist() == large
        assert ps.asarray([large, large], dtype=ps.uint64)[1].tolist() == large
        for numbers, dtype, beyond in (
            ([2**63, -1], ps.int64, 2**63),
            ([2**64 - 1, -7], ps.uint64, -7),
            ([[2**64 - 1], [-1]], ps.int8, 2**64 - 1),
        ):
            with pytest.raises(ps.errors.ArgumentError, match=f"the integer {beyond} does not fit {dtype}"):
                ps.asarray(numbers, dtype=dtype)
        assert ps.asarray([2**53 + 1, 0.5], dtype=ps.int64).tolist() == [2**53, 0]

    def test_integers_that_the_dtype_does_not_hold(self) -> None:
        for numbers, dtype, beyond in (
            (300, ps.uint8, 300),
            ([1, 300], ps.uint8, 300),
            ([[0, -129], [0, 128]], ps.int8, -129),
            ([-1], ps.uint64, -1),
            ([2**63], ps.int64, 2**63),
        ):
            with pytest.raises(ps.errors.ArgumentError, match=f"the integer {beyond} does not fit {dtype}"):
                ps.asarray(numbers, dtype=dtype)
        assert ps.asarray([[255, 0]], dtype=ps.uint8).tolist() == [[255, 0]]
        assert ps.asarray([], dtype=ps.uint8).dtype == ps.uint8
        # Floats, and elements of arrays, become the nearest.
        assert ps.asarray([300.0, -1.0], dtype=ps.uint8).tolist() == [255, 0]
        assert ps.asarray(np.array([300, -1]), dtype=ps.uint8).tolist() == [255, 0]


class TestObjectsWithoutAValue:
    def test_they_are_not_made_by_the_class(self) -> None:
        cls: Any = ps.Array
        with pytest.raises(ps.errors.DTypeError, match="asarray"):
            cls(3)

    def test_they_say_what_they_are(self) -> None:
        empty = ps.Array.__new__(ps.Array)
        assert repr(empty) == "<Array without a value>"
        with pytest.raises(ps.errors.DTypeError, match="never given a value"):
            empty.sum()


def test_dtypes_are_keys_as_numpys_are() -> None:
    assert {ps.float32: 1, ps.bool: 2}[np.dtype("float32")] == 1
    assert hash(ps.int8) == hash(np.dtype("int8"))
    assert len({ps.dtype(name) for name in ("int8", "i1", np.int8)}) == 1


def test_a_hash_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    before = [hash(each) for each in (ps.bool, ps.int8, ps.complex128)]
    monkeypatch.delattr(np, "dtype")
    assert [hash(each) for each in (ps.bool, ps.int8, ps.complex128)] == before


def test_numbers_with_a_dtype_keep_it() -> None:
    assert ps.full(3, np.float32(2)).dtype == ps.float32
    assert ps.full(3, np.array(2, np.int8)).dtype == ps.int8
    assert ps.full(3, ps.asarray(True)).dtype == ps.bool
    assert ps.full(3, np.float32(2), dtype=ps.int8).dtype == ps.int8
    assert ps.full(3, 2).dtype == ps.int64


def test_a_list_of_no_indices() -> None:
    assert ps.take(P, [], axis=1).shape == (2, 0)
    assert ps.take_along_axis(P, [[], []], axis=1).shape == (2, 0)
    with pytest.raises(ps.errors.DTypeError, match="integer"):
        ps.take(P, np.zeros(0), axis=1)


def test_dot_of_a_bool() -> None:
    yes = np.array([True, False])
    for other in (True, False):
        np.testing.assert_array_equal(np.asarray(ps.dot(yes, np.bool_(other))), np.dot(yes, other))
