# SPDX-License-Identifier: Apache-2.0
"""The namespace's answers about itself, as the array API standard asks them."""

from __future__ import annotations

import builtins
from typing import Any

from penstock import _core
from penstock._core import DType
from penstock._dtypes import KINDS, Kind, isdtype

VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12", "2025.12")


def follows(version: object) -> builtins.bool:
    """Whether the namespace follows a version of the standard."""
    return version in VERSIONS


def check_device(device: object) -> None:
    """Refuse any device but the one there is."""
    if device is not None and not (isinstance(device, str) and device == "cpu"):
        raise _core.errors.ArgumentError(f"device {device!r} is unknown; there is 'cpu'")


class _Info:
    """What ``__array_namespace_info__()`` returns.

    Array API standard 2025.12: inspection, __array_namespace_info__.
    """

    def capabilities(self) -> dict[str, Any]:
        """What else than the core there is: a dict. Shapes that depend on values are evaluated at the call; the rank
        has no limit of its own but 64.

        Array API standard 2025.12: inspection, capabilities.
        """
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> str:
        """The only one, "cpu".

        Array API standard 2025.12: inspection, default_device.
        """
        return "cpu"

    def default_dtypes(self, *, device: str | None = None) -> dict[str, DType]:
        """What creation functions give when no dtype is named: a dict by kind.

        Raises ArgumentError for another device.
        Array API standard 2025.12: inspection, default_dtypes.
        """
        check_device(device)
        names = {"real floating": "float64", "complex floating": "complex128", "integral": "int64", "indexing": "int64"}
        return {kind: _core.dtype(name) for kind, name in names.items()}

    def devices(self) -> tuple[str, ...]:
        """All there are, a tuple: ("cpu",).

        Array API standard 2025.12: inspection, devices.
        """
        return ("cpu",)

    def dtypes(self, *, device: str | None = None, kind: Kind | None = None) -> dict[str, DType]:
        """The dtypes by name, those of a kind or of several kinds.

        Raises ArgumentError for another device and an unknown kind.
        Array API standard 2025.12: inspection, dtypes.
        """
        check_device(device)
        names = [*KINDS["bool"], *KINDS["numeric"]]
        return {name: _core.dtype(name) for name in names if kind is None or isdtype(name, kind)}


def __array_namespace_info__() -> _Info:  # noqa: N807 - the standard's name
    """Questions about the namespace: capabilities(), default_device(), default_dtypes(), devices(), dtypes().

    Array API standard 2025.12: inspection, __array_namespace_info__.
    """
    return _Info()
