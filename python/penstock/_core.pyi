# SPDX-License-Identifier: Apache-2.0
# Made by tools/stubs.py from the extension; not to be edited.
# ruff: noqa
# fmt: off

import builtins
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy
import numpy.typing
from typing_extensions import TypeVar

from penstock import errors as errors

Ints: TypeAlias = int | Sequence[int]
AnyDType: TypeAlias = DType | str | type | numpy.dtype[Any]
Index: TypeAlias = int | slice | types.EllipsisType | None | Array
Key: TypeAlias = Index | tuple[Index, ...]
Out = TypeVar("Out", default=Array)

__version__: str

class DType:
    """An element type."""

    @property
    def name(self) -> str: ...

    @property
    def itemsize(self) -> int:
        """Bytes of an element."""

    @property
    def dtype(self, /) -> numpy.dtype[Any]:
        """The NumPy dtype; numpy.dtype() looks here."""

    def __str__(self) -> str: ...

    def __repr__(self) -> str: ...

    def __eq__(self, other: object, /) -> builtins.bool: ...

    def __hash__(self) -> int: ...

    def __reduce__(self) -> str: ...

bool: DType = ...

int8: DType = ...

int16: DType = ...

int32: DType = ...

int64: DType = ...

uint8: DType = ...

uint16: DType = ...

uint32: DType = ...

uint64: DType = ...

float16: DType = ...

float32: DType = ...

float64: DType = ...

complex64: DType = ...

complex128: DType = ...

def dtype(object: AnyDType) -> DType:
    """The dtype object of a name, a NumPy dtype or a dtype object."""

def promote_types(a: AnyDType, b: AnyDType) -> DType:
    """The dtype that two arrays of these dtypes promote to."""

class Array:
    """
    A lazy array of any size. Numbers are computed when somebody looks: numpy.asarray, save, evaluate, float, tolist.
    """

    @property
    def shape(self, /) -> tuple[int, ...]:
        """Extents."""

    @property
    def dtype(self, /) -> DType:
        """Element type."""

    @property
    def ndim(self) -> int: ...

    @property
    def size(self) -> int: ...

    @property
    def nbytes(self) -> int: ...

    @property
    def evaluated(self, /) -> builtins.bool:
        """Whether the elements lie in memory."""

    @property
    def T(self) -> Array: ...

    @property
    def mT(self) -> Array: ...

    @property
    def device(self) -> str: ...

    def sources(self) -> list[str]:
        """Paths of the files that the array reads when it is evaluated."""

    def __add__(self, other: object, /) -> Array: ...

    def __radd__(self, other: object, /) -> Array: ...

    def __iadd__(self, other: object, /) -> Array: ...

    def __sub__(self, other: object, /) -> Array: ...

    def __rsub__(self, other: object, /) -> Array: ...

    def __isub__(self, other: object, /) -> Array: ...

    def __mul__(self, other: object, /) -> Array: ...

    def __rmul__(self, other: object, /) -> Array: ...

    def __imul__(self, other: object, /) -> Array: ...

    def __truediv__(self, other: object, /) -> Array: ...

    def __rtruediv__(self, other: object, /) -> Array: ...

    def __itruediv__(self, other: object, /) -> Array: ...

    def __floordiv__(self, other: object, /) -> Array: ...

    def __rfloordiv__(self, other: object, /) -> Array: ...

    def __ifloordiv__(self, other: object, /) -> Array: ...

    def __mod__(self, other: object, /) -> Array: ...

    def __rmod__(self, other: object, /) -> Array: ...

    def __imod__(self, other: object, /) -> Array: ...

    def __pow__(self, other: object, /) -> Array: ...

    def __rpow__(self, other: object, /) -> Array: ...

    def __ipow__(self, other: object, /) -> Array: ...

    def __and__(self, other: object, /) -> Array: ...

    def __rand__(self, other: object, /) -> Array: ...

    def __iand__(self, other: object, /) -> Array: ...

    def __or__(self, other: object, /) -> Array: ...

    def __ror__(self, other: object, /) -> Array: ...

    def __ior__(self, other: object, /) -> Array: ...

    def __xor__(self, other: object, /) -> Array: ...

    def __rxor__(self, other: object, /) -> Array: ...

    def __ixor__(self, other: object, /) -> Array: ...

    def __lshift__(self, other: object, /) -> Array: ...

    def __rlshift__(self, other: object, /) -> Array: ...

    def __ilshift__(self, other: object, /) -> Array: ...

    def __rshift__(self, other: object, /) -> Array: ...

    def __rrshift__(self, other: object, /) -> Array: ...

    def __irshift__(self, other: object, /) -> Array: ...

    def __eq__(self, other: object, /) -> Array: ...  # type: ignore[override]

    def __ne__(self, other: object, /) -> Array: ...  # type: ignore[override]

    def __lt__(self, other: object, /) -> Array: ...

    def __le__(self, other: object, /) -> Array: ...

    def __gt__(self, other: object, /) -> Array: ...

    def __ge__(self, other: object, /) -> Array: ...

    def __neg__(self) -> Array: ...

    def __pos__(self) -> Array: ...

    def __abs__(self) -> Array: ...

    def __invert__(self) -> Array: ...

    __array_ufunc__: None = None

    __hash__: None  # type: ignore[assignment]

    def __array__(
        self,
        dtype: numpy.typing.DTypeLike | None = None,
        copy: builtins.bool | None = None,
    ) -> numpy.typing.NDArray[Any]: ...

    def __dlpack__(
        self,
        *,
        stream: int | None = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: builtins.bool | None = None,
    ) -> Any: ...

    def __dlpack_device__(self) -> tuple[int, int]: ...

    def __array_namespace__(self, *, api_version: str | None = None) -> types.ModuleType: ...

    def __bool__(self) -> builtins.bool: ...

    def __int__(self) -> int: ...

    def __float__(self) -> float: ...

    def __complex__(self) -> complex: ...

    def __index__(self) -> int: ...

    def tolist(self) -> Any:
        """Nested lists of Python numbers; evaluates."""

    def item(self) -> Any:
        """The only element as a Python number; evaluates."""

    def __repr__(self) -> str: ...

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Array]: ...

    def __getitem__(self, key: Key, /) -> Array: ...

    def __setitem__(self, key: Key, value: object, /) -> None: ...

    def reshape(self, *shape: Ints) -> Array:
        """The elements in C order in another shape; one extent may be -1."""

    def transpose(self, *axes: Ints) -> Array:
        """Axes in another order, without arguments reversed; a view."""

    def conj(self) -> Array: ...

    def round(self) -> Array: ...

    @property
    def real(self) -> Array:
        """The real part."""

    @property
    def imag(self) -> Array:
        """The imaginary part."""

    def to_device(self, device: str, /, *, stream: object = None) -> Array:
        """The array itself: all are on the CPU."""

    def clip(self, min: object = None, max: object = None, *, out: Out | None = None) -> Out:
        """
        Elementwise minimum(maximum(x, min), max); a limit of None is none. NaN stays NaN.
        """

    def sum(self, axis: Ints | None = None, *, dtype: AnyDType | None = None, keepdims: builtins.bool = False) -> Array:
        """
        Sum over axes. Integers and bool add in 64 bits. The sum of nothing is 0.
        """

    def prod(
        self,
        axis: Ints | None = None,
        *,
        dtype: AnyDType | None = None,
        keepdims: builtins.bool = False,
    ) -> Array:
        """
        Product over axes. Integers and bool multiply in 64 bits. The product of nothing is 1.
        """

    def mean(
        self,
        axis: Ints | None = None,
        *,
        dtype: AnyDType | None = None,
        keepdims: builtins.bool = False,
    ) -> Array:
        """
        Arithmetic mean over axes; integers give float64. The mean of nothing is NaN.
        """

    def min(self, axis: Ints | None = None, *, keepdims: builtins.bool = False) -> Array:
        """
        Least element over axes; NaN if there is one. Raises ShapeError for nothing.
        """

    def max(self, axis: Ints | None = None, *, keepdims: builtins.bool = False) -> Array:
        """
        Greatest element over axes; NaN if there is one. Raises ShapeError for nothing.
        """

    def any(self, axis: Ints | None = None, *, keepdims: builtins.bool = False) -> Array:
        """Whether any element is nonzero. Of nothing: False."""

    def all(self, axis: Ints | None = None, *, keepdims: builtins.bool = False) -> Array:
        """Whether every element is nonzero. Of nothing: True."""

    def count_nonzero(self, axis: Ints | None = None, *, keepdims: builtins.bool = False) -> Array:
        """How many elements are nonzero; int64."""

    def var(self, axis: Ints | None = None, *, correction: float = 0.0, keepdims: builtins.bool = False) -> Array:
        """
        Variance sum|x - mean|^2 / (n - correction), by merging (n, mean, M2) along a fixed tree.
        """

    def std(self, axis: Ints | None = None, *, correction: float = 0.0, keepdims: builtins.bool = False) -> Array:
        """Square root of var."""

    def argmin(self, axis: int | None = None, *, keepdims: builtins.bool = False) -> Array:
        """
        Index of the least element; the first of equals, the first NaN. axis None: of the flattened array.
        """

    def argmax(self, axis: int | None = None, *, keepdims: builtins.bool = False) -> Array:
        """
        Index of the greatest element; the first of equals, the first NaN. axis None: of the flattened array.
        """

    def astype(self, dtype: AnyDType, *, copy: builtins.bool = True) -> Array:
        """
        Converted. Out of range saturates, NaN becomes 0 in integers, float to integer truncates towards 0.

        Arrays are values, so `copy` makes no difference.
        """

    def squeeze(self, axis: Ints) -> Array:
        """Axes of extent 1 left out; a view."""

def abs(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise abs of 1 operand(s) with broadcasting; array API semantics.
    """

def acos(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise acos of 1 operand(s) with broadcasting; array API semantics.
    """

def acosh(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise acosh of 1 operand(s) with broadcasting; array API semantics.
    """

def add(x1: object, x2: object, *, out: Out | None = None) -> Out:
    """
    Elementwise add of 2 operand(s) with broadcasting; array API semantics.
    """

def asin(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise asin of 1 operand(s) with broadcasting; array API semantics.
    """

def asinh(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise asinh of 1 operand(s) with broadcasting; array API semantics.
    """

def atan(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise atan of 1 operand(s) with broadcasting; array API semantics.
    """

def atan2(x1: object, x2: object, *, out: Out | None = None) -> Out:
    """
    Elementwise atan2 of 2 operand(s) with broadcasting; array API semantics.
    """

def atanh(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise atanh of 1 operand(s) with broadcasting; array API semantics.
    """

def bitwise_and(x1: object, x2: object, *, out: Out | None = None) -> Out:
    """
    Elementwise bitwise_and of 2 operand(s) with broadcasting; array API semantics.
    """

def bitwise_invert(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise bitwise_invert of 1 operand(s) with broadcasting; array API semantics.
    """

def bitwise_left_shift(x1: object, x2: object, *, out: Out | None = None) -> Out:
    """
    Elementwise bitwise_left_shift of 2 operand(s) with broadcasting; array API semantics.
    """

def bitwise_or(x1: object, x2: object, *, out: Out | None = None) -> Out:
    """
    Elementwise bitwise_or of 2 operand(s) with broadcasting; array API semantics.
    """

def bitwise_right_shift(x1: object, x2: object, *, out: Out | None = None) -> Out:
    """
    Elementwise bitwise_right_shift of 2 operand(s) with broadcasting; array API semantics.
    """

def bitwise_xor(x1: object, x2: object, *, out: Out | None = None) -> Out:
    """
    Elementwise bitwise_xor of 2 operand(s) with broadcasting; array API semantics.
    """

def ceil(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise ceil of 1 operand(s) with broadcasting; array API semantics.
    """

def conj(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise conj of 1 operand(s) with broadcasting; array API semantics.
    """

def copysign(x1: object, x2: object, *, out: Out | None = None) -> Out:
    """
    Elementwise copysign of 2 operand(s) with broadcasting; array API semantics.
    """

def cos(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise cos of 1 operand(s) with broadcasting; array API semantics.
    """

def cosh(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise cosh of 1 operand(s) with broadcasting; array API semantics.
    """

def divide(x1: object, x2: object, *, out: Out | None = None) -> Out:
    """
    Elementwise divide of 2 operand(s) with broadcasting; array API semantics.
    """

def equal(x1: object, x2: object, *, out: Out | None = None) -> Out:
    """
    Elementwise equal of 2 operand(s) with broadcasting; array API semantics.
    """

def exp(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise exp of 1 operand(s) with broadcasting; array API semantics.
    """

def expm1(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise expm1 of 1 operand(s) with broadcasting; array API semantics.
    """

def floor(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise floor of 1 operand(s) with broadcasting; array API semantics.
    """

def floor_divide(x1: object, x2: object, *, out: Out | None = None) -> Out:
    """
    Elementwise floor_divide of 2 operand(s) with broadcasting; array API semantics.
    """

def greater(x1: object, x2: object, *, out: Out | None = None) -> Out:
    """
    Elementwise greater of 2 operand(s) with broadcasting; array API semantics.
    """

def greater_equal(x1: object, x2: object, *, out: Out | None = None) -> Out:
    """
    Elementwise greater_equal of 2 operand(s) with broadcasting; array API semantics.
    """

def hypot(x1: object, x2: object, *, out: Out | None = None) -> Out:
    """
    Elementwise hypot of 2 operand(s) with broadcasting; array API semantics.
    """

def imag(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise imag of 1 operand(s) with broadcasting; array API semantics.
    """

def isfinite(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise isfinite of 1 operand(s) with broadcasting; array API semantics.
    """

def isinf(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise isinf of 1 operand(s) with broadcasting; array API semantics.
    """

def isnan(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise isnan of 1 operand(s) with broadcasting; array API semantics.
    """

def less(x1: object, x2: object, *, out: Out | None = None) -> Out:
    """
    Elementwise less of 2 operand(s) with broadcasting; array API semantics.
    """

def less_equal(x1: object, x2: object, *, out: Out | None = None) -> Out:
    """
    Elementwise less_equal of 2 operand(s) with broadcasting; array API semantics.
    """

def log(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise log of 1 operand(s) with broadcasting; array API semantics.
    """

def log10(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise log10 of 1 operand(s) with broadcasting; array API semantics.
    """

def log1p(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise log1p of 1 operand(s) with broadcasting; array API semantics.
    """

def log2(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise log2 of 1 operand(s) with broadcasting; array API semantics.
    """

def logaddexp(x1: object, x2: object, *, out: Out | None = None) -> Out:
    """
    Elementwise logaddexp of 2 operand(s) with broadcasting; array API semantics.
    """

def logical_and(x1: object, x2: object, *, out: Out | None = None) -> Out:
    """
    Elementwise logical_and of 2 operand(s) with broadcasting; array API semantics.
    """

def logical_not(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise logical_not of 1 operand(s) with broadcasting; array API semantics.
    """

def logical_or(x1: object, x2: object, *, out: Out | None = None) -> Out:
    """
    Elementwise logical_or of 2 operand(s) with broadcasting; array API semantics.
    """

def logical_xor(x1: object, x2: object, *, out: Out | None = None) -> Out:
    """
    Elementwise logical_xor of 2 operand(s) with broadcasting; array API semantics.
    """

def maximum(x1: object, x2: object, *, out: Out | None = None) -> Out:
    """
    Elementwise maximum of 2 operand(s) with broadcasting; array API semantics.
    """

def minimum(x1: object, x2: object, *, out: Out | None = None) -> Out:
    """
    Elementwise minimum of 2 operand(s) with broadcasting; array API semantics.
    """

def multiply(x1: object, x2: object, *, out: Out | None = None) -> Out:
    """
    Elementwise multiply of 2 operand(s) with broadcasting; array API semantics.
    """

def negative(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise negative of 1 operand(s) with broadcasting; array API semantics.
    """

def nextafter(x1: object, x2: object, *, out: Out | None = None) -> Out:
    """
    Elementwise nextafter of 2 operand(s) with broadcasting; array API semantics.
    """

def not_equal(x1: object, x2: object, *, out: Out | None = None) -> Out:
    """
    Elementwise not_equal of 2 operand(s) with broadcasting; array API semantics.
    """

def positive(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise positive of 1 operand(s) with broadcasting; array API semantics.
    """

def pow(x1: object, x2: object, *, out: Out | None = None) -> Out:
    """
    Elementwise pow of 2 operand(s) with broadcasting; array API semantics.
    """

def real(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise real of 1 operand(s) with broadcasting; array API semantics.
    """

def reciprocal(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise reciprocal of 1 operand(s) with broadcasting; array API semantics.
    """

def remainder(x1: object, x2: object, *, out: Out | None = None) -> Out:
    """
    Elementwise remainder of 2 operand(s) with broadcasting; array API semantics.
    """

def round(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise round of 1 operand(s) with broadcasting; array API semantics.
    """

def sign(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise sign of 1 operand(s) with broadcasting; array API semantics.
    """

def signbit(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise signbit of 1 operand(s) with broadcasting; array API semantics.
    """

def sin(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise sin of 1 operand(s) with broadcasting; array API semantics.
    """

def sinh(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise sinh of 1 operand(s) with broadcasting; array API semantics.
    """

def sqrt(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise sqrt of 1 operand(s) with broadcasting; array API semantics.
    """

def square(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise square of 1 operand(s) with broadcasting; array API semantics.
    """

def subtract(x1: object, x2: object, *, out: Out | None = None) -> Out:
    """
    Elementwise subtract of 2 operand(s) with broadcasting; array API semantics.
    """

def tan(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise tan of 1 operand(s) with broadcasting; array API semantics.
    """

def tanh(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise tanh of 1 operand(s) with broadcasting; array API semantics.
    """

def trunc(x: object, *, out: Out | None = None) -> Out:
    """
    Elementwise trunc of 1 operand(s) with broadcasting; array API semantics.
    """

def where(condition: object, x1: object, x2: object, *, out: Out | None = None) -> Out:
    """
    Elementwise where of 3 operand(s) with broadcasting; array API semantics.
    """

def clip(x: object, min: object = None, max: object = None, *, out: Out | None = None) -> Out:
    """
    Elementwise minimum(maximum(x, min), max); a limit of None is none. NaN stays NaN.
    """

def elementwise_rows() -> list[tuple[str, int, str, str]]:
    """
    (name, arity, domain, result) of every elementwise operation, from the table.
    """

def sum(
    x: object,
    axis: Ints | None = None,
    *,
    dtype: AnyDType | None = None,
    keepdims: builtins.bool = False,
) -> Array:
    """
    Sum over axes. Integers and bool add in 64 bits. The sum of nothing is 0.
    """

def prod(
    x: object,
    axis: Ints | None = None,
    *,
    dtype: AnyDType | None = None,
    keepdims: builtins.bool = False,
) -> Array:
    """
    Product over axes. Integers and bool multiply in 64 bits. The product of nothing is 1.
    """

def mean(
    x: object,
    axis: Ints | None = None,
    *,
    dtype: AnyDType | None = None,
    keepdims: builtins.bool = False,
) -> Array:
    """
    Arithmetic mean over axes; integers give float64. The mean of nothing is NaN.
    """

def min(x: object, axis: Ints | None = None, *, keepdims: builtins.bool = False) -> Array:
    """
    Least element over axes; NaN if there is one. Raises ShapeError for nothing.
    """

def max(x: object, axis: Ints | None = None, *, keepdims: builtins.bool = False) -> Array:
    """
    Greatest element over axes; NaN if there is one. Raises ShapeError for nothing.
    """

def any(x: object, axis: Ints | None = None, *, keepdims: builtins.bool = False) -> Array:
    """Whether any element is nonzero. Of nothing: False."""

def all(x: object, axis: Ints | None = None, *, keepdims: builtins.bool = False) -> Array:
    """Whether every element is nonzero. Of nothing: True."""

def count_nonzero(x: object, axis: Ints | None = None, *, keepdims: builtins.bool = False) -> Array:
    """How many elements are nonzero; int64."""

def var(x: object, axis: Ints | None = None, *, correction: float = 0.0, keepdims: builtins.bool = False) -> Array:
    """
    Variance sum|x - mean|^2 / (n - correction), by merging (n, mean, M2) along a fixed tree.
    """

def std(x: object, axis: Ints | None = None, *, correction: float = 0.0, keepdims: builtins.bool = False) -> Array:
    """Square root of var."""

def argmin(x: object, axis: int | None = None, *, keepdims: builtins.bool = False) -> Array:
    """
    Index of the least element; the first of equals, the first NaN. axis None: of the flattened array.
    """

def argmax(x: object, axis: int | None = None, *, keepdims: builtins.bool = False) -> Array:
    """
    Index of the greatest element; the first of equals, the first NaN. axis None: of the flattened array.
    """

def histogram_counts(x: object | None, edges: Sequence[float]) -> Array:
    """Counts of x between ascending edges, the last bin closed; int64."""

def even_edges(bins: int, low: float, high: float) -> list[float]:
    """bins + 1 evenly spaced edges."""

def astype(x: object, dtype: AnyDType, *, copy: builtins.bool = True) -> Array:
    """
    Converted. Out of range saturates, NaN becomes 0 in integers, float to integer truncates towards 0.

    Arrays are values, so `copy` makes no difference.
    """

def squeeze(x: object, axis: Ints) -> Array:
    """Axes of extent 1 left out; a view."""

def reshape(x: object, shape: Ints, *, copy: builtins.bool | None = None) -> Array:
    """
    The elements in C order in another shape; one extent may be -1.

    Arrays are values, so `copy` makes no difference.
    """

def permute_dims(x: object, axes: Ints) -> Array:
    """Axes in another order; a view."""

def matrix_transpose(x: object | None) -> Array:
    """The last two axes swapped; a view."""

def broadcast_to(x: object, shape: Ints) -> Array:
    """Repeated along new or single axes without a copy."""

def flip(x: object, *, axis: Ints | None = None) -> Array:
    """Elements in reverse order along axes; a view."""

def expand_dims(x: object, axis: Ints = 0) -> Array:
    """New axes of extent 1; a view."""

def moveaxis(x: object, source: Ints, destination: Ints) -> Array:
    """Axes moved to other places; a view."""

def roll(x: object, shift: Ints, *, axis: Ints | None = None) -> Array:
    """Shifted along axes, what leaves at one end enters at the other."""

def concat(arrays: Iterable[object], *, axis: int | None = 0) -> Array:
    """Joined along an axis; axis None joins the flattened arrays."""

def stack(arrays: Iterable[object], *, axis: int = 0) -> Array:
    """Joined along a new axis."""

def tril(x: object | None, *, k: int = 0) -> Array:
    """Zeros above the k-th diagonal of the last two axes."""

def triu(x: object | None, *, k: int = 0) -> Array:
    """Zeros below the k-th diagonal of the last two axes."""

def full(shape: Ints, fill_value: complex, *, dtype: AnyDType | None = None, device: str | None = None) -> Array:
    """One value everywhere; takes no memory."""

def arange(
    start: float,
    stop: float | None = None,
    step: float = 1,
    *,
    dtype: AnyDType | None = None,
    device: str | None = None,
) -> Array:
    """start, start + step, ... below stop; takes no memory."""

def linspace(
    start: float,
    stop: float,
    num: int,
    *,
    dtype: AnyDType | None = None,
    device: str | None = None,
    endpoint: builtins.bool = True,
) -> Array:
    """num evenly spaced values; the last one is exactly stop with endpoint."""

def eye(
    n_rows: int,
    n_cols: int | None = None,
    *,
    k: int = 0,
    dtype: AnyDType | None = None,
    device: str | None = None,
) -> Array:
    """Ones on the k-th diagonal."""

def open(
    path: str,
    dtype: AnyDType | None = None,
    shape: Ints | None = None,
    offset: int = 0,
    strict: builtins.bool = False,
) -> Array: ...

def asarray(obj: object, dtype: AnyDType | None = None, *, copy: builtins.bool | None = None) -> Array: ...

def evaluate(*arrays: Array) -> None: ...

def save(array: object, path: str, overwrite: builtins.bool = True) -> None: ...

def explain(arrays: Iterable[object], save: builtins.bool = False) -> dict[str, Any]: ...

def memory_budget(value: int | str | None = None) -> int:
    """
    The memory budget in bytes; sets it from an int or text such as '2GiB' or '50%'.
    """

def threads(n: int | None = None) -> int:
    """The number of threads; sets it (0: the default)."""

def opt_level(name: str | None = None) -> str:
    """The optimisation level; sets it to none, simd, parallel or full."""

def simd_target(name: str | None = None) -> str:
    """The CPU target in use; forces another ('auto': the default)."""

def on_progress(callback: Callable[[int, int, float, int], object] | None) -> None:
    """
    callback(done_bytes, total_bytes, seconds, memory_bytes),
    called on the evaluating thread every 20 ms; None for none.
    """

def trim() -> int:
    """Gives memory kept for reuse back to the system; returns the bytes."""

def stats() -> dict[str, int]:
    """Counters since the process started."""

def config() -> dict[str, Any]: ...

def environment_rows() -> list[tuple[str, str]]: ...

def environment_warnings() -> list[str]: ...
