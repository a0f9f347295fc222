# SPDX-License-Identifier: Apache-2.0
"""Each peer's best plain form of a calculation. Runs in the peer's own environment; only its own package is imported.

A peer takes the operands as NumPy arrays and gives a function without arguments: one call, its result complete when the
call returns. Compiling and converting happen before.
"""

from __future__ import annotations

import importlib
import logging
import re
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from calculations import FUNCTIONS, LETTERS, Calculation

Array = Any
Call = Callable[[], Any]


class CannotError(Exception):
    """A peer has no such calculation; the reason is its result."""


def named(module: Any) -> dict[str, Any]:
    """A module's functions by the names that calculations use; those it lacks raise CannotError when called."""

    def lacking(name: str) -> Callable[..., Any]:
        def call(*_: Any, **__: Any) -> Any:
            raise CannotError(f"{module.__name__} has no {name}")

        return call

    return {name: getattr(module, name, None) or lacking(name) for name in FUNCTIONS}


def numpy(calculation: Calculation, operands: list[Array], _threads: int) -> Call:
    """NumPy: one thread, but for its BLAS, which has as many as there are CPUs."""
    function = calculation.function(named(np))
    return lambda: function(*operands)


def penstock(calculation: Calculation, operands: list[Array], threads: int) -> Call:
    """Lazy, and evaluated in the call; with out= too."""
    ps: Any = importlib.import_module("penstock")
    ps.threads(threads)
    function, arrays = calculation.function(named(ps)), [ps.asarray(each) for each in operands]
    evaluate = ps.evaluate
    return lambda: evaluate(function(*arrays))


def numexpr(calculation: Calculation, operands: list[Array], threads: int) -> Call:
    """The text as it is."""
    if calculation.body is not None:
        raise CannotError("numexpr has no calculations of several lines")
    ne: Any = importlib.import_module("numexpr")
    ne.set_num_threads(threads)
    names = dict(zip(LETTERS, operands, strict=False))
    return lambda: ne.evaluate(calculation.text, local_dict=names, global_dict={})


def blosc2(calculation: Calculation, operands: list[Array], threads: int) -> Call:
    """The text as it is, over NumPy arrays, to a NumPy array: nothing is compressed."""
    if calculation.body is not None:
        raise CannotError("blosc2 has no calculations of several lines")
    engine: Any = importlib.import_module("blosc2")
    engine.set_nthreads(threads)
    names = dict(zip(LETTERS, operands, strict=False))
    return lambda: engine.evaluate(calculation.text, local_dict=names, global_dict={})


def torch(calculation: Calculation, operands: list[Array], threads: int) -> Call:
    """Eager; out= where the calculation has it."""
    library: Any = importlib.import_module("torch")
    library.set_num_threads(threads)
    library.set_grad_enabled(False)
    function, arrays = calculation.function(named(library)), [library.from_numpy(each) for each in operands]
    return lambda: function(*arrays)


def torch_compiled(calculation: Calculation, operands: list[Array], threads: int) -> Call:
    """torch.compile with the default backend, which makes C++ and compiles it with the system's compiler."""
    logging.disable(logging.WARNING)  # no word on the graphics card that is not there
    library: Any = importlib.import_module("torch")
    library.set_num_threads(threads)
    library.set_grad_enabled(False)
    function = library.compile(calculation.function(named(library)), dynamic=False)
    arrays = [library.from_numpy(each) for each in operands]
    return lambda: function(*arrays)


def jax(calculation: Calculation, operands: list[Array], _threads: int) -> Call:
    """jax.jit, with 64-bit numbers enabled; it waits for the result. One thread for each CPU it may use."""
    if calculation.into:
        raise CannotError("JAX arrays never change: it has no out=")
    library: Any = importlib.import_module("jax")
    library.config.update("jax_enable_x64", True)
    function = library.jit(calculation.function(named(importlib.import_module("jax.numpy"))))
    arrays = [library.numpy.asarray(each) for each in operands]
    return lambda: function(*arrays).block_until_ready()


def numba(calculation: Calculation, operands: list[Array], threads: int) -> Call:
    """numba.njit(parallel=True): its array expressions become one loop over all threads."""
    library: Any = importlib.import_module("numba")
    library.set_num_threads(threads)
    names = {**named(np), "number": operands[0].dtype.type}
    if calculation.body is not None:
        function = calculation.function(names)
    else:
        # A Python number would widen float32 to float64.
        text = re.sub(r"(?<![\w.])\d+(\.\d+)?", r"number(\g<0>)", calculation.text)
        function = eval(f"lambda {calculation.letters()}: {text}", names)  # text of calculations.py
    compiled = library.njit(parallel=True)(types.FunctionType(function.__code__, names))
    return lambda: compiled(*operands)


def dask(calculation: Calculation, operands: list[Array], threads: int) -> Call:
    """dask.array in chunks of 32 MiB of float32, with its threads."""
    if calculation.into:
        raise CannotError("Dask arrays never change: it has no out=")
    library: Any = importlib.import_module("dask.array")
    side = 1 << 23
    arrays = [library.from_array(each, chunks=side if each.ndim == 1 else "32 MiB") for each in operands]
    function = calculation.function(named(library))
    return lambda: function(*arrays).compute(scheduler="threads", num_workers=threads)


@dataclass(frozen=True)
class Peer:
    """Where a peer runs ("" is here), how it prepares, and what of it has a version."""

    environment: str
    prepare: Callable[[Calculation, list[Array], int], Call]
    package: str


PEERS = {
    "penstock": Peer("", penstock, "penstock"),
    "numpy": Peer("", numpy, "numpy"),
    "numpy-1.24": Peer("numpy-1.24", numpy, "numpy"),
    "numexpr": Peer("numexpr", numexpr, "numexpr"),
    "blosc2": Peer("blosc2", blosc2, "blosc2"),
    "torch": Peer("torch", torch, "torch"),
    "torch.compile": Peer("torch", torch_compiled, "torch"),
    "jax": Peer("jax", jax, "jax"),
    "numba": Peer("numba", numba, "numba"),
    "dask": Peer("dask", dask, "dask"),
}


def as_numpy(result: Any) -> Array:
    """What a call gave, as NumPy has it."""
    if isinstance(result, tuple):  # of several arrays evaluated, the one
        (result,) = result
    return np.asarray(result)
