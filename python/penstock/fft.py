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
    """sum_j x[j] exp(-2 pi i j k / n) along ``axis``, for k in [0, n); ``x`` is cut or filled with zeros to ``n``."""
    x = _complex(x)
    n = _length(x, n, axis)
    return _transform("fft", x, n, n, axis, norm, x.dtype)


def ifft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Array:
    """1/n sum_k x[k] exp(2 pi i j k / n) along ``axis``: what fft() makes undone."""
    x = _complex(x)
    n = _length(x, n, axis)
    return _transform("ifft", x, n, n, axis, norm, x.dtype)


def rfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Array:
    """fft() of real numbers: the n // 2 + 1 values that the others mirror."""
    x = _real("rfft", x)
    n = _length(x, n, axis)
    return _transform("rfft", x, n, n // 2 + 1, axis, norm, complex_of(x.dtype))


def _usual_real_length(x: Array, n: int | None, axis: int) -> int:
    return _length(x, n, axis, 2 * (x.shape[normal_axis(axis, x.ndim)] - 1))


def irfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Array:
    """What rfft() makes undone: ``n`` real numbers, 2 (m - 1) of m values by default."""
    x = _complex(x)
    n = _usual_real_length(x, n, axis)
    return _transform("irfft", x, n, n, axis, norm, real_of(x.dtype))


def hfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Array:
    """fft() of a signal with Hermitian symmetry, given by its first half: ``n`` real numbers, 2 (m - 1) by default."""
    x = _complex(x)
    n = _usual_real_length(x, n, axis)
    return _transform("hfft", x, n, n, axis, norm, real_of(x.dtype))


def ihfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Array:
    """What hfft() makes undone: the first n // 2 + 1 values of a signal with Hermitian symmetry."""
    x = _real("ihfft", x)
    n = _length(x, n, axis)
    return _transform("ihfft", x, n, n // 2 + 1, axis, norm, complex_of(x.dtype))


def _axes(x: Array, s: Sequence[int] | None, axes: Sequence[int] | None) -> list[tuple[int | None, int]]:
    """(length, axis) of each transform."""
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
    return list(zip([None] * len(chosen) if s is None else s, chosen, strict=True))


def fftn(
    x: Any, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Array:
    """fft() along several axes, all by default, ``s`` the lengths."""
    result = _complex(x)
    for n, axis in reversed(_axes(result, s, axes)):
        result = fft(result, n=n, axis=axis, norm=norm)
    return result


def ifftn(
    x: Any, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Array:
    """What fftn() makes undone."""
    result = _complex(x)
    for n, axis in reversed(_axes(result, s, axes)):
        result = ifft(result, n=n, axis=axis, norm=norm)
    return result


def rfftn(
    x: Any, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Array:
    """fftn() of real numbers: rfft() along the last of the axes, fft() along the others."""
    real = _real("rfftn", x)
    *others, (n, axis) = _axes(real, s, axes)
    result = rfft(real, n=n, axis=axis, norm=norm)
    for n, axis in reversed(others):
        result = fft(result, n=n, axis=axis, norm=norm)
    return result


def irfftn(
    x: Any, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Array:
    """What rfftn() makes undone: ifft() along all but the last of the axes, irfft() along that."""
    x = _complex(x)
    *others, (last, last_axis) = _axes(x, s, axes)
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
    """Frequencies of fft() of ``n`` samples ``d`` apart: [0, 1, ..., (n - 1) // 2, -(n // 2), ..., -1] / (n d)."""
    check_device(device)
    n, d = _samples(n), _spacing(d)
    half = (n - 1) // 2 + 1
    order = _core.concat([_core.arange(half), _core.arange(-(n // 2), 0)])
    return _core.astype(_core.divide(order, n * d), _frequency_dtype(dtype))


def rfftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: str | None = None) -> Array:
    """Frequencies of rfft() of ``n`` samples ``d`` apart: [0, 1, ..., n // 2] / (n d)."""
    check_device(device)
    n, d = _samples(n), _spacing(d)
    return _core.astype(_core.divide(_core.arange(n // 2 + 1), n * d), _frequency_dtype(dtype))


def _shifted(x: Any, axes: int | Sequence[int] | None, back: int) -> Array:
    x = array(x)
    named = range(x.ndim) if axes is None else integers(axes, "axes")
    chosen = [normal_axis(axis, x.ndim) for axis in named]
    return _core.roll(x, [back * (x.shape[axis] // 2) for axis in chosen], axis=chosen) if chosen else x


def fftshift(x: Any, /, *, axes: int | Sequence[int] | None = None) -> Array:
    """The frequency 0 in the middle of the axes, all by default."""
    return _shifted(x, axes, 1)


def ifftshift(x: Any, /, *, axes: int | Sequence[int] | None = None) -> Array:
    """What fftshift() makes undone."""
    return _shifted(x, axes, -1)
