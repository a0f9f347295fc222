# SPDX-License-Identifier: Apache-2.0
"""Discrete Fourier transforms: the array API's extension ``fft``.

The transforms are SciPy's where it is installed, NumPy's otherwise (both are pocketfft). One axis is transformed at a
time, as many lines at once as fit into the memory budget, so that an array may be larger than memory as long as a line
is not. float32 gives complex64, all other real numbers complex128.

``norm`` says where the factor 1/n goes: "backward" to the inverse transforms, "forward" to the others, "ortho" its
square root to both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from penstock import _core
from penstock._arguments import array, integer, integers, normal_axis, number, one_of
from penstock._core import Array, DType
from penstock._info import check_device
from penstock._stacks import along, complex_of, floating, real_of

__all__ = [
    "fft", "fftfreq", "fftn", "fftshift", "hfft", "ifft", "ifftn", "ifftshift", "ihfft", "irfft", "irfftn", "rfft",
    "rfftfreq", "rfftn",
]  # fmt: skip

_NORMS = ("backward", "ortho", "forward")


def _transform(name: str, x: Array, n: int | None, lines: int, axis: int, norm: str, dtype: DType) -> Array:
    """``n`` is what the library is told, ``lines`` the length of what it gives."""
    one_of(norm, "norm", _NORMS)

    def fill(out: Any, a: Any) -> None:
        import scipy.fft

        out[...] = getattr(scipy.fft, name)(a, n=n, axis=1, norm=norm, workers=_core.threads())

    return along(name, fill, x, axis, lines, dtype)


def _length(x: Array, n: int | None, axis: int, usual: int | None = None) -> int:
    """The length of a transform, checked."""
    axis = normal_axis(axis, x.ndim)
    n = integer(n, "n") if n is not None else usual if usual is not None else x.shape[axis]
    if n < 1:
        raise _core.errors.ArgumentError(f"a transform of {n} points along axis {axis}; there must be at least 1")
    return n


def _complex(x: Any) -> Array:
    x = floating(x)
    return _core.astype(x, complex_of(x.dtype))


def _real(name: str, x: Any) -> Array:
    real = floating(x)
    if real.dtype != real_of(real.dtype):
        raise _core.errors.DTypeError(f"{name} takes real numbers; got {real.dtype}")
    return real


def fft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Array:
    """sum_j x[j] exp(-2 pi i j k / n) for k in [0, n) along ``axis``.

    ``x`` is cut or filled with zeros to ``n`` along the axis. ``norm`` says what is divided by n: "backward" the
    inverse, "forward" the transform, "ortho" both by its root.

    Shapes: any but (); n along the axis, without n its extent.
    Dtypes: any; the result is complex.
    Raises AxisError, ArgumentError for n below 1 and another norm, ShapeError for more than 2^63 - 1 elements,
    DTypeError for what holds no numbers.
    Array API standard 2025.12: fft, fft.
    """
    x = _complex(x)
    n = _length(x, n, axis)
    return _transform("fft", x, n, n, axis, norm, x.dtype)


def ifft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Array:
    """Undoes fft(): 1/n sum_k x[k] exp(2 pi i j k / n) for j in [0, n) along ``axis``.

    ``x`` is cut or filled with zeros to ``n`` along the axis. ``norm`` says what is divided by n: "backward" the
    inverse, "forward" the transform, "ortho" both by its root.

    Shapes: any but (); n along the axis, without n its extent.
    Dtypes: any; the result is complex.
    Raises AxisError, ArgumentError for n below 1 and another norm, ShapeError for more than 2^63 - 1 elements,
    DTypeError for what holds no numbers.
    Array API standard 2025.12: fft, ifft.
    """
    x = _complex(x)
    n = _length(x, n, axis)
    return _transform("ifft", x, n, n, axis, norm, x.dtype)


def rfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Array:
    """fft() of real numbers: the n // 2 + 1 values that the others mirror, along ``axis``.

    ``x`` is cut or filled with zeros to ``n`` along the axis. ``norm`` says what is divided by n: "backward" the
    inverse, "forward" the transform, "ortho" both by its root.

    Shapes: any but (); n // 2 + 1 along the axis, n its extent unless given.
    Dtypes: all but complex ones; the result is complex.
    Raises AxisError, ArgumentError for n below 1 and another norm, ShapeError for more than 2^63 - 1 elements,
    DTypeError for complex numbers.
    Array API standard 2025.12: fft, rfft.
    """
    x = _real("rfft", x)
    n = _length(x, n, axis)
    return _transform("rfft", x, n, n // 2 + 1, axis, norm, complex_of(x.dtype))


def _usual_real_length(x: Array, n: int | None, axis: int) -> int:
    return _length(x, n, axis, 2 * (x.shape[normal_axis(axis, x.ndim)] - 1))


def irfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Array:
    """Undoes rfft(): ``n`` real numbers, 2 (m - 1) of m values by default, along ``axis``.

    ``x`` is cut or filled with zeros to ``n`` along the axis. ``norm`` says what is divided by n: "backward" the
    inverse, "forward" the transform, "ortho" both by its root.

    Shapes: any but (); n along the axis.
    Dtypes: any; the result is real.
    Raises AxisError, ArgumentError for n below 1 and another norm, ShapeError for more than 2^63 - 1 elements,
    DTypeError for what holds no numbers.
    Array API standard 2025.12: fft, irfft.
    """
    x = _complex(x)
    n = _usual_real_length(x, n, axis)
    return _transform("irfft", x, n, n, axis, norm, real_of(x.dtype))


def hfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Array:
    """fft() of a signal with Hermitian symmetry, given by its first half: ``n`` real numbers, 2 (m - 1) by default,
    along ``axis``.

    ``x`` is cut or filled with zeros to ``n`` along the axis. ``norm`` says what is divided by n: "backward" the
    inverse, "forward" the transform, "ortho" both by its root.

    Shapes: any but (); n along the axis.
    Dtypes: any; the result is real.
    Raises AxisError, ArgumentError for n below 1 and another norm, ShapeError for more than 2^63 - 1 elements,
    DTypeError for what holds no numbers.
    Array API standard 2025.12: fft, hfft.
    """
    x = _complex(x)
    n = _usual_real_length(x, n, axis)
    return _transform("hfft", x, n, n, axis, norm, real_of(x.dtype))


def ihfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Array:
    """Undoes hfft(): the first n // 2 + 1 values of a signal with Hermitian symmetry, along ``axis``.

    ``x`` is cut or filled with zeros to ``n`` along the axis. ``norm`` says what is divided by n: "backward" the
    inverse, "forward" the transform, "ortho" both by its root.

    Shapes: any but (); n // 2 + 1 along the axis, n its extent unless given.
    Dtypes: all but complex ones; the result is complex.
    Raises AxisError, ArgumentError for n below 1 and another norm, ShapeError for more than 2^63 - 1 elements,
    DTypeError for complex numbers.
    Array API standard 2025.12: fft, ihfft.
    """
    x = _real("ihfft", x)
    n = _length(x, n, axis)
    return _transform("ihfft", x, n, n // 2 + 1, axis, norm, complex_of(x.dtype))


def _axes(
    x: Array, s: Sequence[int] | None, axes: Sequence[int] | None, least: int = 0
) -> list[tuple[int | None, int]]:
    """(length, axis) of each transform, of which there are ``least``."""
    s = None if s is None else integers(s, "s")
    axes = None if axes is None else integers(axes, "axes")
    if s is not None and axes is not None and len(s) != len(axes):
        raise _core.errors.ArgumentError(f"{len(s)} lengths for {len(axes)} axes")
    if axes is None:
        count = x.ndim if s is None else len(s)
        axes = range(-count, 0)
    chosen = [normal_axis(axis, x.ndim) for axis in axes]
    if len(set(chosen)) != len(chosen):
        raise _core.errors.AxisError(f"axes {tuple(axes)} name an axis twice")
    if len(chosen) < least:
        raise _core.errors.ArgumentError(f"a transform of real numbers needs an axis; got none of shape {x.shape}")
    return list(zip([None] * len(chosen) if s is None else s, chosen, strict=True))


def fftn(
    x: Any, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Array:
    """fft() along several axes, all by default.

    ``s`` are the lengths, to which ``x`` is cut or filled with zeros. ``norm`` says what is divided by n: "backward"
    the inverse, "forward" the transform, "ortho" both by its root.

    Shapes: any; s along the axes, without s their extents.
    Dtypes: any; the result is complex.
    Raises AxisError for axes out of range or named twice, ArgumentError for lengths below 1, another number of them
    than of axes, and another norm, ShapeError for more than 2^63 - 1 elements, DTypeError for what holds no numbers.
    Array API standard 2025.12: fft, fftn.
    """
    result = _complex(x)
    for n, axis in reversed(_axes(result, s, axes)):
        result = fft(result, n=n, axis=axis, norm=norm)
    return result


def ifftn(
    x: Any, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Array:
    """Undoes fftn(): ifft() along several axes, all by default.

    ``s`` are the lengths, to which ``x`` is cut or filled with zeros. ``norm`` says what is divided by n: "backward"
    the inverse, "forward" the transform, "ortho" both by its root.

    Shapes: any; s along the axes, without s their extents.
    Dtypes: any; the result is complex.
    Raises AxisError for axes out of range or named twice, ArgumentError for lengths below 1, another number of them
    than of axes, and another norm, ShapeError for more than 2^63 - 1 elements, DTypeError for what holds no numbers.
    Array API standard 2025.12: fft, ifftn.
    """
    result = _complex(x)
    for n, axis in reversed(_axes(result, s, axes)):
        result = ifft(result, n=n, axis=axis, norm=norm)
    return result


def rfftn(
    x: Any, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Array:
    """fftn() of real numbers: rfft() along the last of the axes, all by default, fft() along the others.

    ``s`` are the lengths, to which ``x`` is cut or filled with zeros. ``norm`` says what is divided by n: "backward"
    the inverse, "forward" the transform, "ortho" both by its root.

    Shapes: any; s along the axes, s[-1] // 2 + 1 along the last.
    Dtypes: all but complex ones; the result is complex.
    Raises AxisError for axes out of range or named twice, ArgumentError for lengths below 1, another number of them
    than of axes, none, and another norm, ShapeError for more than 2^63 - 1 elements, DTypeError for complex numbers.
    Array API standard 2025.12: fft, rfftn.
    """
    real = _real("rfftn", x)
    *others, (n, axis) = _axes(real, s, axes, least=1)
    result = rfft(real, n=n, axis=axis, norm=norm)
    for n, axis in reversed(others):
        result = fft(result, n=n, axis=axis, norm=norm)
    return result


def irfftn(
    x: Any, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Array:
    """Undoes rfftn(): ifft() along all but the last of the axes, irfft() along that.

    ``s`` are the lengths, to which ``x`` is cut or filled with zeros. ``norm`` says what is divided by n: "backward"
    the inverse, "forward" the transform, "ortho" both by its root.

    Shapes: any; s along the axes, 2 (m - 1) of m values along the last without s.
    Dtypes: any; the result is real.
    Raises AxisError for axes out of range or named twice, ArgumentError for lengths below 1, another number of them
    than of axes, none, and another norm, ShapeError for more than 2^63 - 1 elements, DTypeError for what holds no
    numbers.
    Array API standard 2025.12: fft, irfftn.
    """
    x = _complex(x)
    *others, (last, last_axis) = _axes(x, s, axes, least=1)
    for n, axis in others:
        x = ifft(x, n=n, axis=axis, norm=norm)
    return irfft(x, n=last, axis=last_axis, norm=norm)


def _frequency_dtype(dtype: Any) -> DType:
    wanted = _core.dtype("float64" if dtype is None else dtype)
    if str(wanted) not in ("float32", "float64"):
        raise _core.errors.DTypeError(f"frequencies are real numbers; dtype is {wanted}")
    return wanted


def _samples(n: Any) -> int:
    samples = integer(n, "n")
    if samples < 1:
        raise _core.errors.ArgumentError(f"n is {n}; there must be at least 1 sample")
    return samples


def _spacing(d: Any) -> float:
    spacing = number(d, "d")
    if spacing == 0:
        raise _core.errors.ArgumentError("d is 0; samples lie apart")
    return spacing


def fftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: str | None = None) -> Array:
    """Frequencies of fft() of ``n`` samples ``d`` apart: [0, 1, ..., (n - 1) // 2, -(n // 2), ..., -1] / (n d).
    ``device`` is "cpu" or None.

    Shapes: (n,).
    Dtypes: float32 or float64; float64 without ``dtype``.
    Raises ArgumentError for n below 1, a d of 0 and another device, ShapeError for more than 2^63 - 1 elements,
    DTypeError for a dtype that is no real floating one and an n that is no integer.
    Array API standard 2025.12: fft, fftfreq.
    """
    check_device(device)
    n, d = _samples(n), _spacing(d)
    half = (n - 1) // 2 + 1
    order = _core.concat([_core.arange(half), _core.arange(-(n // 2), 0)])
    return _core.astype(_core.divide(order, n * d), _frequency_dtype(dtype))


def rfftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: str | None = None) -> Array:
    """Frequencies of rfft() of ``n`` samples ``d`` apart: [0, 1, ..., n // 2] / (n d). ``device`` is "cpu" or None.

    Shapes: (n // 2 + 1,).
    Dtypes: float32 or float64; float64 without ``dtype``.
    Raises ArgumentError for n below 1, a d of 0 and another device, ShapeError for more than 2^63 - 1 elements,
    DTypeError for a dtype that is no real floating one and an n that is no integer.
    Array API standard 2025.12: fft, rfftfreq.
    """
    check_device(device)
    n, d = _samples(n), _spacing(d)
    return _core.astype(_core.divide(_core.arange(n // 2 + 1), n * d), _frequency_dtype(dtype))


def _shifted(x: Any, axes: int | Sequence[int] | None, back: int) -> Array:
    x = array(x)
    named = range(x.ndim) if axes is None else integers(axes, "axes")
    chosen = [normal_axis(axis, x.ndim) for axis in named]
    return _core.roll(x, [back * (x.shape[axis] // 2) for axis in chosen], axis=chosen) if chosen else x


def fftshift(x: Any, /, *, axes: int | Sequence[int] | None = None) -> Array:
    """The frequency 0 in the middle of the axes, all by default.

    Shapes: any; the result has that of x.
    Dtypes: any; the result has that of x.
    Raises AxisError, DTypeError for an axis that is no integer and what holds no numbers.
    Array API standard 2025.12: fft, fftshift.
    """
    return _shifted(x, axes, 1)


def ifftshift(x: Any, /, *, axes: int | Sequence[int] | None = None) -> Array:
    """Undoes fftshift(), along the axes, all by default.

    Shapes: any; the result has that of x.
    Dtypes: any; the result has that of x.
    Raises AxisError, DTypeError for an axis that is no integer and what holds no numbers.
    Array API standard 2025.12: fft, ifftshift.
    """
    return _shifted(x, axes, -1)
