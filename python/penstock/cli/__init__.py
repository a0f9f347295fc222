# SPDX-License-Identifier: Apache-2.0
"""The ``penstock`` command.

Nothing here imports NumPy or the extension before the arguments are known to be right: help, the version and usage
errors answer at once.
"""

from __future__ import annotations

from penstock.cli.main import main

__all__ = ["main"]
