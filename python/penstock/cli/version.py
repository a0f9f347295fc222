# SPDX-License-Identifier: Apache-2.0
"""The package's version without loading the extension."""

from __future__ import annotations

import os.path


def version() -> str:
    """Of the installed distribution; of the source tree when it runs from there."""
    root = os.path.realpath(__file__)
    for _ in range(4):
        root = os.path.dirname(root)
    beside = os.path.join(root, "VERSION")
    if os.path.isfile(beside) and os.path.isfile(os.path.join(root, "FLOORS")):
        with open(beside, encoding="ascii") as file:
            return file.read().strip()
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("penstock")
    except PackageNotFoundError:
        return "unknown"
