# SPDX-License-Identifier: Apache-2.0
"""Arrays on their way to other processes: pickles, deep copies and Dask's tokens.

A file that ``open`` gave, parts of it and conversions of its dtype are told by reference: the absolute path, and the
inode, size and time of the last change, which must still be the same where the pickle is loaded. Everything else is
evaluated, and goes by its elements: a pickled expression does not drag its operands along.
"""

from __future__ import annotations

import builtins
import copy
import hashlib
import os
import pickle
from typing import Any

from penstock import _core
from penstock._arguments import array
from penstock._core import Array


def _reference(x: Array) -> tuple[Any, ...] | None:
    """As the extension's, with an absolute path; None where x is no unchanged file's."""
    found = _core.reference_of(x)
    return None if found is None else (os.path.abspath(found[0]), *found[1:])


def reduced(x: Array, protocol: builtins.int) -> tuple[Any, ...]:
    """What ``__reduce_ex__`` returns. From protocol 5 on the elements are an out-of-band buffer for who wants it.

    Raises BudgetError where the array is no file's and its elements do not fit into the memory budget.
    """
    reference = _reference(x)
    if reference is not None:
        return from_file, reference
    import numpy

    elements: Any = numpy.ascontiguousarray(x).reshape(-1).view(numpy.uint8)
    data = pickle.PickleBuffer(elements) if protocol >= 5 else elements.tobytes()
    return from_bytes, (data, x.dtype.name, x.shape)


def from_file(*reference: Any) -> Array:
    """The array that a pickle refers to. Raises MissingFileError or FileChangedError."""
    return _core.from_reference(*reference)


def from_bytes(data: Any, dtype: str, shape: tuple[builtins.int, ...]) -> Array:
    """The array of these elements in C order; the memory is borrowed."""
    import numpy

    elements = numpy.frombuffer(data, dtype=dtype)
    if not elements.flags.aligned:
        elements = elements.copy()
    return array(elements.reshape(shape))


def deep_copy(x: Array) -> Array:
    """An array whose elements nobody else can change. Arrays are values, so only borrowed memory is copied."""
    return _core.asarray(x, None, copy=True) if _core.borrows(x) else copy.copy(x)


def token(x: Array) -> tuple[Any, ...]:
    """The same for equal arrays, in every process: a file's reference, or a hash of the elements.

    An expression is evaluated for it, once: it keeps its elements.
    """
    reference = _reference(x)
    if reference is not None:
        return ("penstock.Array", *reference)
    import numpy

    digest = hashlib.blake2b(digest_size=16)
    if x.size:
        elements: Any = numpy.ascontiguousarray(x).reshape(-1).view(numpy.uint8)
        digest.update(elements)
    return "penstock.Array", x.dtype.name, x.shape, digest.hexdigest()
