# SPDX-License-Identifier: Apache-2.0
"""Random numbers made of a counter: lazy, of any size, and the same for every chunking, thread count and CPU target.

``default_rng(seed)`` gives a :class:`Generator`. Word k of a generator is Threefry-2x32-20 of the counter k under the
generator's key, 64 bits; the stream has 2**63 of them. (J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel
random numbers: as easy as 1, 2, 3", SC'11.) A call takes the words from the generator's position on and moves the
position behind them: element i of its result, in C order, is made of words position + w i to position + w i + w - 1,
with w = 1, but 2 for integers and choices by them, and for what is a quotient of two numbers. So two calls give what
one call for all the elements gives.

The layout and what is made of the words are part of this module's promise: they do not change. The numbers differ from
numpy.random's. Functions of a distribution that call exp, log or pow may differ in their last bit between CPU targets
with fused multiplication and without; their docstrings say so.
"""

from __future__ import annotations

import builtins
import math
import threading
from collections.abc import Sequence
from typing import Any, TypeAlias

from penstock import _core
from penstock._arguments import array, integer, integers, normal_axis
from penstock._core import Array
from penstock._shapes import broadcast_shapes, flat
from penstock._stacks import is_complex, is_integer, put_out

__all__ = ["Generator", "default_rng"]

Size: TypeAlias = "int | Sequence[int] | None"

_WORDS = 1 << 63
_LIMITS = {f"{kind}{bits}": bits for kind in ("int", "uint") for bits in (8, 16, 32, 64)}


def default_rng(seed: Any = None) -> Generator:
    """A generator of its own stream: of a whole number, a sequence of them, a numpy.random.SeedSequence, or of nothing
    (entropy of the operating system). A Generator is given back as it is.

    Raises TypeError and ValueError of numpy.random.SeedSequence for what is no seed.
    Beyond the standard: NumPy's default_rng.
    """
    return seed if isinstance(seed, Generator) else Generator(seed)


def _shape(size: Size, *parameters: Array) -> tuple[int, ...]:
    """The shape asked for, or what the parameters broadcast to; which must broadcast to it."""
    common = broadcast_shapes(*(each.shape for each in parameters))
    if size is None:
        return common
    shape = integers(size, "size")
    if any(n < 0 for n in shape):
        raise _core.errors.ArgumentError(f"size is {shape}; extents are 0 or more")
    for each in parameters:
        _core.broadcast_to(_core.full(each.shape, False), shape)
    return shape


def _real(name: str, x: Any, least: float | None = None) -> Array:
    """A parameter of a distribution, checked as far as it is a number."""
    x = array(x)
    if is_complex(x):
        raise _core.errors.DTypeError(f"{name} is real; got {x.dtype}")
    if least is not None and x.size and not float(_core.min(x)) >= least:
        raise _core.errors.ArgumentError(f"{name} is {float(_core.min(x))}; it must be {least:g} or more")
    return _core.astype(x, _core.float64)


def _float_dtype(dtype: Any) -> Any:
    wanted = _core.dtype(dtype)
    if str(wanted) not in ("float32", "float64"):
        raise _core.errors.DTypeError(f"random numbers are float32 or float64; got {wanted}")
    return wanted


class Generator:
    """A stream of random words, and numbers of many distributions made of it.

    Results are lazy arrays: nothing is computed or kept before they are wanted, and then again the same. ``size`` is a
    number of elements or a shape; None is the shape that the parameters broadcast to, () of numbers.

    Beyond the standard: NumPy's Generator.
    """

    def __init__(self, seed: Any = None) -> None:
        import numpy

        sequence = seed if isinstance(seed, numpy.random.SeedSequence) else numpy.random.SeedSequence(seed)
        self._seed = sequence
        self._key = int(sequence.generate_state(1, numpy.uint64)[0])
        self._position = 0
        self._lock = threading.Lock()

    @property
    def key(self) -> int:
        """The key of the stream, 64 bits.

        Beyond the standard.
        """
        return self._key

    @property
    def position(self) -> int:
        """The number of the next word.

        Beyond the standard.
        """
        return self._position

    def advance(self, words: int) -> Generator:
        """Moves the position by so many words, back too; returns the generator.

        Raises ArgumentError for a position outside [0, 2**63], DTypeError for what is no integer.
        Beyond the standard.
        """
        with self._lock:
            self._move(words)
        return self

    def _move(self, words: int) -> int:
        begin, end = self._position, self._position + integer(words, "words")
        if not 0 <= end <= _WORDS:
            raise _core.errors.ArgumentError(f"word {end} of a stream that has 2**63; spawn() gives further streams")
        self._position = end
        return begin

    def spawn(self, n_children: int) -> list[Generator]:
        """Generators of ``n_children`` further streams, by numpy.random.SeedSequence.spawn; others at each call.

        Raises ArgumentError for a number outside [0, 2**32), DTypeError for what is no integer.
        Beyond the standard: NumPy's spawn.
        """
        count = integer(n_children, "n_children")
        if not 0 <= count < 1 << 32:
            raise _core.errors.ArgumentError(f"n_children is {count}; give a number in [0, 2**32)")
        return [Generator(each) for each in self._seed.spawn(count)]

    def __repr__(self) -> str:
        return f"Generator(Threefry-2x32-20, key=0x{self._key:016x}, position={self._position})"

    def __getstate__(self) -> tuple[Any, int, int]:
        return self._seed, self._key, self._position

    def __setstate__(self, state: tuple[Any, int, int]) -> None:
        self._seed, self._key, self._position = state
        self._lock = threading.Lock()

    def _words(self, shape: Sequence[int], each: int = 1) -> list[Array]:
        """``each`` arrays of words: the first word of every element, the second, and so on."""
        n = math.prod(shape)
        with self._lock:
            begin = self._move(n * each)
        key = _core.full((), self._key, dtype=_core.uint64)
        words = []
        for k in range(each):
            counter = _core.arange(begin + k, begin + k + n * each, each, dtype=_core.uint64)
            words.append(_core.random_bits(_core.reshape(counter, shape), key))
        return words

    def _unit(self, shape: Sequence[int]) -> Array:
        return _core.random_unit(self._words(shape)[0])

    def _exponential(self, shape: Sequence[int]) -> Array:
        return _core.random_exponential(self._words(shape)[0])

    def bytes(self, length: int) -> builtins.bytes:
        """So many random bytes: of ceil(length / 8) words, the least byte first.

        Raises ArgumentError for a negative length, DTypeError for what is no integer.
        Beyond the standard: NumPy's bytes.
        """
        import numpy

        length = integer(length, "length")
        if length < 0:
            raise _core.errors.ArgumentError(f"length is {length}; give 0 or more")
        words = numpy.asarray(self._words((-(-length // 8),))[0])
        return words.astype("<u8").tobytes()[:length]

    def random(self, size: Size = None, dtype: Any = "float64", out: Any = None) -> Array:
        """Uniform in [0, 1): multiples of 2**-53 (float32: of 2**-24), the upper bits of a word. ``out``: an array or a
        NumPy array of the result's shape, which takes it and is returned.

        Shapes: ``size``, without one ().
        Dtypes: float32 or float64, as ``dtype`` says.
        Raises DTypeError for another dtype and a size that is no integers, ArgumentError for a negative size,
        ShapeError for an out that does not fit.
        Beyond the standard: NumPy's random.
        """
        dtype = _float_dtype(dtype)
        (word,) = self._words(_shape(size))
        if dtype == _core.float64:
            return put_out(_core.random_unit(word), out)
        upper = _core.astype(_core.bitwise_right_shift(word, 40), _core.float32)
        return put_out(_core.multiply(upper, 2.0**-24), out)

    def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Size = None) -> Array:
        """low + (high - low) u for u uniform in [0, 1). The bounds broadcast.

        Shapes: ``size``, or what the parameters broadcast to.
        Dtypes: float64; parameters are real.
        Raises ArgumentError for a negative size, ShapeError where a size does not fit, DTypeError for what is no real
        number.
        Beyond the standard: NumPy's uniform.
        """
        low, high = _real("low", low), _real("high", high)
        unit = self._unit(_shape(size, low, high))
        return _core.add(low, _core.multiply(_core.subtract(high, low), unit))

    def integers(
        self, low: Any, high: Any = None, size: Size = None, dtype: Any = "int64", endpoint: builtins.bool = False
    ) -> Array:
        """Whole numbers in [low, high), with ``endpoint`` in [low, high]; of one number in [0, low).

        Two words as a fraction of 128 bits, times how many numbers there are: the probabilities of any two differ by
        less than 2**-127, and there is no modulo. Bounds that are arrays broadcast, and are looked at now.

        Shapes: ``size``, or what the parameters broadcast to.
        Dtypes: integers and bool, as ``dtype`` says; bounds are integers, arrays of them of dtypes that int64 holds.
        Raises ArgumentError for no numbers, bounds out of the range of the dtype and a negative size, ShapeError where
        a size does not fit, DTypeError for other dtypes and what is no integer.
        Beyond the standard: NumPy's integers.
        """
        wanted = _core.dtype(dtype)
        name = str(wanted)
        if name != "bool" and name not in _LIMITS:
            raise _core.errors.DTypeError(f"integers are of an integer dtype or bool; got {wanted}")
        low, high = (0, low) if high is None else (low, high)
        if all(not hasattr(each, "shape") and not isinstance(each, Sequence) for each in (low, high)):
            return self._between(integer(low, "low"), integer(high, "high") + endpoint, size, wanted)
        return self._between_arrays(array(low), array(high), size, wanted, endpoint)

    def _between(self, low: int, end: int, size: Size, dtype: Any) -> Array:
        bits, signed = _LIMITS.get(str(dtype), 1), str(dtype).startswith("int")
        least, beyond = (-(1 << (bits - 1)), 1 << (bits - 1)) if signed else (0, 1 << bits)
        if not least <= low < end <= beyond:
            raise _core.errors.ArgumentError(f"[{low}, {end}) has no numbers, or some that {dtype} has not")
        shape = _shape(size)
        upper, lower = self._words(shape, 2)
        if end - low == 1 << 64:
            found = upper
        else:
            found = _core.random_below(upper, lower, _core.full((), end - low, dtype=_core.uint64))
        if not signed:
            return _core.astype(_core.add(found, _core.full((), low, dtype=_core.uint64)), dtype)
        half = 1 << 63
        near = _core.add(
            _core.astype(_core.minimum(found, _core.full((), half - 1, dtype=_core.uint64)), _core.int64), low
        )
        if end - low > half:
            # What does not fit into int64 on its own does once the negative bound is added.
            rest = _core.astype(_core.subtract(found, _core.full((), half, dtype=_core.uint64)), _core.int64)
            large = _core.greater_equal(found, _core.full((), half, dtype=_core.uint64))
            near = _core.where(large, _core.add(rest, low + half), near)
        return _core.astype(near, dtype)

    def _between_arrays(self, low: Array, high: Array, size: Size, dtype: Any, endpoint: builtins.bool) -> Array:
        for each in (low, high):
            if not (is_integer(each) or each.dtype == _core.bool) or each.dtype == _core.uint64:
                raise _core.errors.DTypeError(f"arrays of bounds are of integers that int64 has; got {each.dtype}")
        low, high = _core.astype(low, _core.int64), _core.astype(high, _core.int64)
        # A range that int64 cannot count wraps to a negative number, and is refused with the empty ones.
        span = _core.add(_core.subtract(high, low), int(endpoint))
        shape = _shape(size, span)
        if span.size:
            least, first, last = _core.evaluate(_core.min(span), _core.min(low), _core.max(high))
            bits, signed = _LIMITS.get(str(dtype), 1), str(dtype).startswith("int")
            smallest, beyond = (-(1 << (bits - 1)), 1 << (bits - 1)) if signed else (0, 1 << bits)
            if int(least) < 1 or int(first) < smallest or int(last) + endpoint > beyond:
                raise _core.errors.ArgumentError(f"some [low, high) has no numbers, or some that {dtype} has not")
        upper, lower = self._words(shape, 2)
        found = _core.random_below(upper, lower, _core.astype(span, _core.uint64))
        return _core.astype(_core.add(_core.astype(found, _core.int64), low), dtype)

    def standard_normal(self, size: Size = None, dtype: Any = "float64", out: Any = None) -> Array:
        """Normal numbers of mean 0 and deviation 1: the quantile (algorithm AS 241) of a probability of 64 bits, so as
        far out as 9.1; float32 is rounded. ``out``: an array or a NumPy array of the result's shape, which takes it and
        is returned.

        Shapes: ``size``, without one ().
        Dtypes: float32 or float64, as ``dtype`` says.
        Raises DTypeError for another dtype and a size that is no integers, ArgumentError for a negative size,
        ShapeError for an out that does not fit.
        Beyond the standard: NumPy's standard_normal.
        """
        dtype = _float_dtype(dtype)
        normal = _core.random_normal(self._words(_shape(size))[0])
        return put_out(_core.astype(normal, dtype), out)

    def normal(self, loc: Any = 0.0, scale: Any = 1.0, size: Size = None) -> Array:
        """loc + scale z for standard normal z.

        Shapes: ``size``, or what the parameters broadcast to.
        Dtypes: float64; parameters are real.
        Raises ArgumentError for a negative scale or size, ShapeError where a size does not fit, DTypeError for what is
        no real number.
        Beyond the standard: NumPy's normal.
        """
        loc, scale = _real("loc", loc), _real("scale", scale, 0)
        return _core.add(loc, _core.multiply(scale, self.standard_normal(_shape(size, loc, scale))))

    def lognormal(self, mean: Any = 0.0, sigma: Any = 1.0, size: Size = None) -> Array:
        """exp of normal numbers of deviation ``sigma``; the last bit of exp may depend on the CPU target.

        Shapes: ``size``, or what the parameters broadcast to.
        Dtypes: float64; parameters are real.
        Raises ArgumentError for a negative sigma or size, ShapeError where a size does not fit, DTypeError for what is
        no real number.
        Beyond the standard: NumPy's lognormal.
        """
        return _core.exp(self.normal(mean, sigma, size))

    def standard_exponential(self, size: Size = None, dtype: Any = "float64", out: Any = None) -> Array:
        """Exponential numbers of mean 1: -log of a uniform number of 64 bits, so at most 44.4; float32 is rounded.
        ``out``: an array or a NumPy array of the result's shape, which takes it and is returned.

        Shapes: ``size``, without one ().
        Dtypes: float32 or float64, as ``dtype`` says.
        Raises DTypeError for another dtype and a size that is no integers, ArgumentError for a negative size,
        ShapeError for an out that does not fit.
        Beyond the standard: NumPy's standard_exponential.
        """
        dtype = _float_dtype(dtype)
        return put_out(_core.astype(self._exponential(_shape(size)), dtype), out)

    def exponential(self, scale: Any = 1.0, size: Size = None) -> Array:
        """Exponential numbers of mean ``scale``.

        Shapes: ``size``, or what the parameters broadcast to.
        Dtypes: float64; parameters are real.
        Raises ArgumentError for a negative scale or size, ShapeError where a size does not fit, DTypeError for what is
        no real number.
        Beyond the standard: NumPy's exponential.
        """
        scale = _real("scale", scale, 0)
        return _core.multiply(scale, self._exponential(_shape(size, scale)))

    def laplace(self, loc: Any = 0.0, scale: Any = 1.0, size: Size = None) -> Array:
        """loc + scale e, e exponential of either sign: its sign is the lowest bit of the word that it is made of.

        Shapes: ``size``, or what the parameters broadcast to.
        Dtypes: float64; parameters are real.
        Raises ArgumentError for a negative scale or size, ShapeError where a size does not fit, DTypeError for what is
        no real number.
        Beyond the standard: NumPy's laplace.
        """
        loc, scale = _real("loc", loc), _real("scale", scale, 0)
        (word,) = self._words(_shape(size, loc, scale))
        sign = _core.subtract(_core.multiply(_core.astype(_core.bitwise_and(word, 1), _core.float64), 2.0), 1.0)
        return _core.add(loc, _core.multiply(_core.multiply(scale, sign), _core.random_exponential(word)))

    def rayleigh(self, scale: Any = 1.0, size: Size = None) -> Array:
        """scale sqrt(2 e) for exponential e: the length of a vector of two normal numbers.

        Shapes: ``size``, or what the parameters broadcast to.
        Dtypes: float64; parameters are real.
        Raises ArgumentError for a negative scale or size, ShapeError where a size does not fit, DTypeError for what is
        no real number.
        Beyond the standard: NumPy's rayleigh.
        """
        scale = _real("scale", scale, 0)
        return _core.multiply(scale, _core.sqrt(_core.multiply(2.0, self._exponential(_shape(size, scale)))))

    def weibull(self, a: Any, size: Size = None) -> Array:
        """e ** (1 / a) for exponential e; the last bit of pow may depend on the CPU target.

        Shapes: ``size``, or what the parameters broadcast to.
        Dtypes: float64; parameters are real.
        Raises ArgumentError for a negative a or size, ShapeError where a size does not fit, DTypeError for what is no
        real number.
        Beyond the standard: NumPy's weibull.
        """
        a = _real("a", a, 0)
        return _core.pow(self._exponential(_shape(size, a)), _core.divide(1.0, a))

    def standard_cauchy(self, size: Size = None) -> Array:
        """The quotient of two normal numbers.

        Shapes: ``size``, without one ().
        Dtypes: float64.
        Raises ArgumentError for a negative size, DTypeError for what is no integer.
        Beyond the standard: NumPy's standard_cauchy.
        """
        above, below = self._words(_shape(size), 2)
        return _core.divide(_core.random_normal(above), _core.random_normal(below))

    def _order(self, shape: Sequence[int]) -> Array:
        """Random orders of the last axis: the places that sort words, of equal ones (2**-64) the first first."""
        return _core.argsort(self._words(shape)[0])

    def permutation(self, x: Any, axis: int = 0) -> Array:
        """The parts of ``x`` along an axis in random order; of a whole number, those of arange(x).

        Shapes: any but (); the result has that of x.
        Dtypes: any; the result has that of x, of a number int64.
        Raises ShapeError for an array without axes, AxisError, DTypeError for what holds no numbers.
        Beyond the standard: NumPy's permutation.
        """
        x = _core.arange(integer(x, "x")) if isinstance(x, int) else array(x)
        if x.ndim == 0:
            raise _core.errors.ShapeError("a number has no parts to be put in another order")
        axis = normal_axis(axis, x.ndim)
        return _core.take(x, self._order((x.shape[axis],)), axis=axis)

    def permuted(self, x: Any, axis: int | None = None, out: Any = None) -> Array:
        """``x`` with each line along ``axis`` in a random order of its own; without an axis, all elements in one.
        ``out``: an array or a NumPy array of the result's shape, which takes it and is returned.

        Shapes: any; the result has that of x.
        Dtypes: any; the result has that of x.
        Raises AxisError, DTypeError for what holds no numbers, ShapeError for an out that does not fit.
        Beyond the standard: NumPy's permuted.
        """
        x = array(x)
        if axis is None:
            return put_out(_core.reshape(self.permutation(flat(x)), x.shape), out)
        axis = normal_axis(axis, x.ndim)
        lines = _core.moveaxis(x, axis, -1)
        taken = _core.take_along_axis(lines, self._order(lines.shape), axis=-1)
        return put_out(_core.moveaxis(taken, -1, axis), out)

    def shuffle(self, x: Any, axis: int = 0) -> None:
        """Puts the parts of ``x``, an Array or a NumPy array, in random order where they are, as permutation() does.

        Shapes: any but ().
        Dtypes: any.
        Raises ShapeError for an array without axes, AxisError, DTypeError for what is no array.
        Beyond the standard: NumPy's shuffle.
        """
        import numpy

        if not isinstance(x, Array | numpy.ndarray):
            raise _core.errors.DTypeError(f"shuffle changes an Array or a NumPy array; got {type(x).__name__}")
        order = self.permutation(x, axis)
        x[...] = order if isinstance(x, Array) else numpy.asarray(order)

    def choice(
        self,
        a: Any,
        size: Size = None,
        replace: builtins.bool = True,
        p: Any = None,
        axis: int = 0,
        shuffle: builtins.bool = True,  # noqa: ARG002 - NumPy's
    ) -> Array:
        """Parts of ``a`` along an axis, or of arange(a), chosen at random: each anew, or without ``replace`` each once.

        ``p`` are probabilities. Without replacement the order is random, whatever ``shuffle`` says, and a word is taken
        for each part of ``a``; probabilities are then those of drawing one after the other (of the words as exponential
        numbers over p, the smallest).

        Shapes: any; ``size`` takes the place of the axis.
        Dtypes: any; the result has that of a, of a number int64.
        Raises ArgumentError for more than there are, for p that are negative or do not add up to 1 and for a negative
        size, ShapeError for p that are not one for each part, AxisError, DTypeError for what holds no numbers.
        Beyond the standard: NumPy's choice.
        """
        a = _core.arange(integer(a, "a")) if isinstance(a, int) else array(a)
        axis = normal_axis(axis, a.ndim)
        n, shape = a.shape[axis], _shape(size)
        if n == 0 and math.prod(shape):
            raise _core.errors.ArgumentError("there is nothing to choose from")
        weights = None if p is None else self._probabilities(p, n)
        if replace:
            if weights is None:
                places = self.integers(0, max(n, 1), shape)
            else:
                total = _core.cumulative_sum(weights)
                places = _core.searchsorted(_core.divide(total, total[-1]), self._unit(shape), side="right")
            return _core.take(a, places, axis=axis)
        k = math.prod(shape)
        there = n if weights is None else int(_core.count_nonzero(weights))
        if k > there:
            raise _core.errors.ArgumentError(f"{k} of {there} cannot be chosen without replacement")
        order = self._order((n,)) if weights is None else _core.argsort(_core.divide(self._exponential((n,)), weights))
        return _core.take(a, _core.reshape(order[:k], shape), axis=axis)

    @staticmethod
    def _probabilities(p: Any, n: int) -> Array:
        weights = _real("p", p, 0)
        if weights.shape != (n,):
            raise _core.errors.ShapeError(f"p of shape {weights.shape} is not one probability for each of {n}")
        total = float(_core.sum(weights))
        if not abs(total - 1) < 1e-8:
            raise _core.errors.ArgumentError(f"probabilities add up to {total}, not to 1")
        return weights
