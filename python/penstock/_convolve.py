# SPDX-License-Identifier: Apache-2.0
"""Convolution and correlation of vectors under NumPy's names, block by block.

Short kernels are summed up by numpy.convolve, long ones of floats go through Fourier transforms (scipy.fft's) of
blocks, in double precision. Blocks begin at fixed places, so that no budget changes a bit.
"""

from __future__ import annotations

from typing import Any

from penstock import _core
from penstock._arguments import array, shown
from penstock._core import Array

_SHORT = 512  # elements of a kernel whose products are summed up one by one
_BLOCK = 1 << 15  # elements of a result that are the least to be computed at once
_MODES = ("full", "same", "valid")


def _sum_up(out: Any, x: Any, y: Any, shift: int) -> None:
    """out[j] = sum_i y[i] x[j + shift - i], blocks on as many threads as are set: NumPy's loop lets others run."""
    import numpy

    before = y.size - 1

    def block(begin: int) -> None:
        to = out[begin : begin + _BLOCK]
        first = begin + shift - before
        low, high = max(first, 0), min(first + to.size + before, x.size)
        # Where x ends the sums are shorter, else they are those of y whole.
        inside = first >= 0 and first + to.size + before <= x.size
        whole = numpy.convolve(x[low:high], y, "valid" if inside else "full")
        to[...] = whole if inside else whole[before + first - low :][: to.size]

    begins = range(0, out.size, _BLOCK)
    workers = min(_core.threads(), len(begins))
    if workers < 2:
        for begin in begins:
            block(begin)
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(block, begins))


def _by_transforms(out: Any, x: Any, y: Any, shift: int, block: int) -> None:
    """out[j] = sum_i y[i] x[j + shift - i], a block of out at once, by a circular convolution of twice its length."""
    import numpy
    from scipy import fft

    wide = numpy.complex128 if out.dtype.kind == "c" else numpy.float64
    forth, back = (fft.fft, fft.ifft) if out.dtype.kind == "c" else (fft.rfft, fft.irfft)
    n, before = 2 * block, y.size - 1
    kernel = forth(y.astype(wide), n)
    for begin in range(0, out.size, block):
        # Its elements and the ones before that its first is made of, the others 0.
        first = begin + shift - before
        part = numpy.zeros(n, wide)
        low, high = max(first, 0), min(first + block + before, x.size)
        part[low - first : high - first] = x[low:high]
        to = out[begin : begin + block]
        if numpy.isfinite(part).all() and numpy.isfinite(kernel).all():
            to[...] = back(forth(part) * kernel, n)[before : before + to.size]
        else:
            # A transform spreads NaN and infinity over the block; sums have them where they belong.
            to[...] = numpy.convolve(part[: block + before], y.astype(wide))[before : before + to.size]


def _convolved(name: str, x: Array, y: Array, start: int, n: int) -> Array:
    """Elements [start, start + n) of the full convolution of a vector with one that is not longer."""
    m = y.size
    transforms = m > _SHORT and str(x.dtype).startswith(("float", "complex"))
    block = max(_BLOCK, 1 << (m - 1).bit_length()) if transforms else _BLOCK

    def fill(out: Any, part: Any, kernel: Any, begin: int, first: int) -> None:
        if transforms:
            _by_transforms(out, part, kernel, begin + start - first, block)
        else:
            _sum_up(out, part, kernel, begin + start - first)

    return _core.windowed(name, fill, x, y, n, before=m - 1 - start, behind=start, block=block)


def _operands(name: str, a: Any, v: Any, mode: str) -> tuple[Array, Array]:
    x, y = array(a), array(v)
    if mode not in _MODES:
        raise _core.errors.ArgumentError(f"mode is {shown(mode)}; use one of {', '.join(map(repr, _MODES))}")
    x, y = (_core.reshape(each, (1,)) if each.ndim == 0 else each for each in (x, y))
    if x.ndim != 1 or y.ndim != 1:
        raise _core.errors.ShapeError(f"{name} takes vectors; got shapes {x.shape} and {y.shape}")
    if x.size == 0 or y.size == 0:
        raise _core.errors.ShapeError(f"{name} of nothing; got shapes {x.shape} and {y.shape}")
    dtype = _core.promote_types(x.dtype, y.dtype)
    return _core.astype(x, dtype), _core.astype(y, dtype)


def convolve(a: Any, v: Any, mode: str = "full") -> Array:
    """sum_i a[k - i] v[i] for each k of two vectors of n and m elements, lazily and at any length of the longer one.

    "full" gives all n + m - 1 places where they overlap, "same" the middle max(n, m), "valid" the max - min + 1 where
    they overlap whole. A shorter one of more than 512 floats goes by Fourier transforms in double precision, with an
    error of some 1e-16 of the product of the blocks' norms.

    Shapes: (n,) and (m,); the mode says which of (n + m - 1,).
    Dtypes: any; the result has the one that both promote to.
    Raises ShapeError for what are no vectors and for empty ones, ArgumentError for another mode, DTypeError for what
    holds no numbers.
    Beyond the standard: NumPy's convolve.
    """
    x, y = _operands("convolve", a, v, mode)
    if y.size > x.size:
        x, y = y, x
    n, m = x.size, y.size
    start, length = {"full": (0, n + m - 1), "same": ((m - 1) // 2, n), "valid": (m - 1, n - m + 1)}[mode]
    return _convolved("convolve", x, y, start, length)


def correlate(a: Any, v: Any, mode: str = "valid") -> Array:
    """sum_i a[i + k] conj(v[i]) for each shift k of two vectors of n and m elements, computed as convolve() does.

    "full" gives all n + m - 1 places where they overlap, "same" the middle max(n, m), "valid" the max - min + 1 where
    they overlap whole.

    Shapes: (n,) and (m,); the mode says which of (n + m - 1,).
    Dtypes: any; the result has the one that both promote to.
    Raises ShapeError for what are no vectors and for empty ones, ArgumentError for another mode, DTypeError for what
    holds no numbers.
    Beyond the standard: NumPy's correlate.
    """
    x, y = _operands("correlate", a, v, mode)
    y = _core.flip(_core.conj(y)) if str(y.dtype) != "bool" else _core.flip(y)
    turned = y.size > x.size
    if turned:
        x, y = y, x
    n, m = x.size, y.size
    middle = m // 2 if turned else (m - 1) // 2
    start, length = {"full": (0, n + m - 1), "same": (middle, n), "valid": (m - 1, n - m + 1)}[mode]
    return _convolved("correlate", x, y, start, length)
