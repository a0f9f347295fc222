# SPDX-License-Identifier: Apache-2.0
"""NumPy-shaped arrays of any size: lazy, fused, streamed from disk within a memory budget.

    import penstock as ps
    a = ps.open("photos.npy")
    ps.save(ps.sqrt(a.astype(ps.float32) * 2 + 1).mean(axis=0), "r.npy")
"""

from __future__ import annotations

import sys as _sys

from penstock import _core
from penstock._api import *  # noqa: F403
from penstock._api import __all__ as _api_names
from penstock._core import errors

_sys.modules["penstock.errors"] = errors

__version__: str = _core.__version__
__array_api_version__ = "2025.12"
__all__ = [*_api_names, "errors"]  # noqa: PLE0604


def __getattr__(name: str) -> object:
    raise AttributeError(_core_suggestion(name))


def _core_suggestion(name: str) -> str:
    import difflib

    near = difflib.get_close_matches(name, __all__, 1)
    return f"module 'penstock' has no attribute {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")


def __dir__() -> list[str]:
    return sorted(__all__)
