# SPDX-License-Identifier: Apache-2.0
"""NumPy-shaped arrays of any size: lazy, fused, streamed from disk within a memory budget.

import penstock as ps
a = ps.open("photos.npy")
ps.save(ps.sqrt(a.astype(ps.float32) * 2 + 1).mean(axis=0), "r.npy")
"""

from __future__ import annotations

__array_api_version__ = "2025.12"


def _load() -> None:
    """Bind the names of the namespace. The command line's help must not wait for NumPy and the extension."""
    from importlib import import_module

    api, core = import_module("penstock._api"), import_module("penstock._core")
    names = globals()
    names.update({name: getattr(api, name) for name in api.__all__})
    names.update(
        errors=import_module("penstock.errors"), __version__=core.__version__, __all__=[*api.__all__, "errors"]
    )


def __getattr__(name: str) -> object:
    from importlib import import_module
    from importlib.util import find_spec

    if name.startswith("__") and name not in ("__all__", "__version__", "__array_namespace_info__"):
        raise AttributeError(name)
    if find_spec(f"penstock.{name}") is not None:
        return import_module(f"penstock.{name}")
    if "__all__" not in globals():
        _load()
        if name in globals():
            return globals()[name]
    import difflib

    near = difflib.get_close_matches(name, globals().get("__all__", ()), 1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise AttributeError(f"module 'penstock' has no attribute {name!r}{hint}")


def __dir__() -> list[str]:
    if "__all__" not in globals():
        _load()
    return sorted({*globals()["__all__"], "__version__", "__array_api_version__"})
