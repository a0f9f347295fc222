# SPDX-License-Identifier: Apache-2.0
"""What NumPy's universal functions make of arrays: ``__array_ufunc__`` beyond the plain calls that the extension has.

A ufunc that the namespace has under the same name is that function. Any other one, SciPy's too, works tile by tile when
the result is wanted: elementwise, lazily, at any size. Results are Penstock arrays, unless ``out=`` names another.
"""

from __future__ import annotations

import builtins
import functools
from collections.abc import Callable
from typing import Any

from penstock import _core
from penstock._arguments import array
from penstock._core import Array
from penstock._shapes import flat
from penstock._stacks import quietly

# The reduction, and the cumulative function, that `reduce` and `accumulate` of a ufunc are.
_REDUCTIONS = {
    "add": "sum", "multiply": "prod", "minimum": "min", "maximum": "max", "logical_and": "all", "logical_or": "any",
}  # fmt: skip
_CUMULATIVE = {"add": "cumulative_sum", "multiply": "cumulative_prod"}

# What NumPy's options mean by default; only these are taken of what the options below do not handle.
_DEFAULTS: dict[str, Any] = {
    "casting": "same_kind", "order": "K", "subok": True, "where": True, "dtype": None, "signature": None, "sig": None,
    "axes": None, "axis": None, "keepdims": False, "initial": None,
}  # fmt: skip


@functools.cache
def _namesakes() -> dict[Any, Any]:
    """The namespace's functions by NumPy's ufunc of the same name."""
    import numpy

    from penstock import _api

    found: dict[Any, Any] = {}
    for name in _api.__all__:
        theirs = getattr(numpy, name, None)
        if isinstance(theirs, numpy.ufunc):
            found[theirs] = getattr(_api, name)
    found[numpy.rint] = _core.round
    return found


def array_ufunc(ufunc: Any, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """What ``__array_ufunc__`` returns: NotImplemented for operands of classes with a say of their own.

    Raises DTypeError (a TypeError) for methods and options that mean nothing here, naming what to do instead.
    """
    out = options.pop("out", ())
    if any(_is_foreign(each) for each in (*inputs, *out)):
        return NotImplemented
    answer = {"__call__": _call, "reduce": _reduce, "accumulate": _accumulate, "outer": _outer}.get(method)
    if answer is None:
        raise _refused(ufunc, f"method {method!r}", "there are __call__, reduce, accumulate and outer")
    where = options.pop("where", True) if method == "__call__" else True
    results = answer(ufunc, inputs, options)
    several = results if isinstance(results, tuple) else (results,)
    if not any(each is not None for each in out):
        if where is not True:
            raise _refused(ufunc, "where=", "without out= the other elements have no value; use penstock.where")
        return results
    written = tuple(
        each if target is None else into(target, each, where, options.get("casting", "same_kind"))
        for each, target in zip(several, out, strict=True)
    )
    return written if isinstance(results, tuple) else written[0]


def _is_foreign(each: Any) -> builtins.bool:
    """Whether a class of its own decides about the ufunc, neither NumPy's nor this one."""
    import numpy

    own = getattr(type(each), "__array_ufunc__", None)
    return own is not None and own is not numpy.ndarray.__array_ufunc__ and not isinstance(each, Array)


def _refused(ufunc: Any, what: str, way: str) -> Exception:
    return _core.errors.DTypeError(
        f"numpy.{ufunc.__name__} of Penstock arrays cannot take {what}: {way}; or evaluate the operands with "
        "numpy.asarray"
    )


def _check(ufunc: Any, options: dict[str, Any], taken: tuple[str, ...] = ()) -> None:
    for name, value in options.items():
        if name in taken or (name in _DEFAULTS and (value is _DEFAULTS[name] or value == _DEFAULTS[name])):
            continue
        raise _refused(ufunc, f"{name}={value!r}", "it has no meaning for them")


def _call(ufunc: Any, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    own = _namesakes().get(ufunc)
    _check(ufunc, options, ("casting", "dtype", "axis"))
    dtype, axis = options.get("dtype"), options.get("axis")
    if dtype is not None:
        inputs = tuple(_core.astype(array(each), dtype) for each in inputs)
    if axis is not None and (own is None or ufunc.signature is None):
        raise _refused(ufunc, f"axis={axis!r}", "it works element by element")
    if own is not None:
        return own(*inputs) if axis is None else own(*inputs, axis=axis)
    if ufunc.signature is not None:
        raise _refused(ufunc, f"signature {ufunc.signature}", "penstock has no function of that name")
    return _tile_by_tile(ufunc, inputs)


def _tile_by_tile(ufunc: Any, inputs: tuple[Any, ...]) -> Any:
    """Any elementwise ufunc, lazily: its results for one tile of the operands at a time, as many as it has."""
    import numpy

    # Python's numbers promote weakly, so the ufunc sees them as they are.
    arrays = {i: array(each) for i, each in enumerate(inputs) if type(each) not in (builtins.bool, int, float, complex)}
    one_each = [numpy.ones(1, str(arrays[i].dtype)) if i in arrays else each for i, each in enumerate(inputs)]
    probe = quietly(ufunc)(*one_each)
    from penstock._api import broadcast_arrays

    spread = broadcast_arrays(*arrays.values())
    shape, vectors = spread[0].shape, [flat(each) for each in spread]

    def result(number: int, dtype: Any) -> Array:
        def fill(target: Any, *tiles: Any) -> None:
            given = iter(tiles)
            operands = [next(given) if i in arrays else each for i, each in enumerate(inputs)]
            found = ufunc(*operands)
            target[...] = found[number] if ufunc.nout > 1 else found

        lines = _core.stacked(ufunc.__name__, quietly(fill), vectors, (spread[0].size,), str(dtype))
        return _core.reshape(lines, shape)

    if ufunc.nout == 1:
        return result(0, probe.dtype)
    return tuple(result(i, each.dtype) for i, each in enumerate(probe))


def _over(ufunc: Any, table: dict[str, str], method: str) -> Callable[..., Array]:
    name = table.get(ufunc.__name__)
    if name is None:
        raise _refused(ufunc, f"method {method!r}", f"there is {method} of {', '.join(table)}")
    found: Callable[..., Array] = getattr(_core, name)
    return found


def _reduce(ufunc: Any, inputs: tuple[Any, ...], options: dict[str, Any]) -> Array:
    """ufunc.reduce(x, axis=0, dtype=None, keepdims=False)."""
    own = _over(ufunc, _REDUCTIONS, "reduce")
    (x, *rest) = inputs
    _check(ufunc, options, ("axis", "dtype", "keepdims"))
    axis = rest[0] if rest else options.get("axis", 0)
    dtype = rest[1] if len(rest) > 1 else options.get("dtype")
    if dtype is not None:
        x = _core.astype(x, dtype)
        if ufunc.__name__ in ("add", "multiply"):
            return own(x, axis=axis, dtype=dtype, keepdims=options.get("keepdims", False))
    return own(x, axis=axis, keepdims=options.get("keepdims", False))


def _accumulate(ufunc: Any, inputs: tuple[Any, ...], options: dict[str, Any]) -> Array:
    """ufunc.accumulate(array, axis=0, dtype=None)."""
    own = _over(ufunc, _CUMULATIVE, "accumulate")
    (x, *rest) = inputs
    _check(ufunc, options, ("axis", "dtype"))
    axis = rest[0] if rest else options.get("axis", 0)
    dtype = rest[1] if len(rest) > 1 else options.get("dtype")
    return own(x, axis=axis, dtype=dtype)


def _outer(ufunc: Any, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """ufunc.outer(a, b): every element of a with every one of b."""
    a, b = (array(each) for each in inputs)
    a = _core.reshape(a, (*a.shape, *(1 for _ in b.shape)))
    return _call(ufunc, (a, b), options)


def into(out: Any, result: Array, where: Any, casting: Any) -> Any:
    """``out`` holding the result, converted as far as ``casting`` lets NumPy."""
    import numpy

    target = _core.dtype(out.dtype)
    if result.dtype != target:
        if not numpy.can_cast(result.dtype.dtype, target.dtype, casting):
            raise _core.errors.DTypeError(
                f"a result of {result.dtype} does not go into out of {target} by casting={casting!r}; convert it with "
                "astype"
            )
        result = _core.astype(result, target)
    if where is not True:
        result = _core.where(where, result, out)
    if result.shape != tuple(out.shape):
        result = _core.broadcast_to(result, out.shape)
    return _core.store(result, out)
