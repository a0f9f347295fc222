# SPDX-License-Identifier: Apache-2.0
"""What Penstock raises. Every class has a stable ``code`` and the command line's ``exit_status``."""

from __future__ import annotations

from penstock import _core

globals().update({name: each for name, each in vars(_core.errors).items() if isinstance(each, type)})
