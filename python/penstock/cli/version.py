# SPDX-License-Identifier: Apache-2.0
"""The package's version without loading the extension."""

from __future__ import annotations

from pathlib import Path


def version() -> str:
    """Of the installed distribution; of the source tree when it runs from there."""
    beside = Path(__file__).resolve().parents[3] / "VERSION"
    if beside.is_file():
        return beside.read_text(encoding="ascii").strip()
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("penstock")
    except PackageNotFoundError:
        return "unknown"
