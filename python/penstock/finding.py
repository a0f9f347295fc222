# SPDX-License-Identifier: Apache-2.0
"""What an examination of the machine finds."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

OK, WARNING, FAILURE = "ok", "warning", "failure"


@dataclass(frozen=True)
class Finding:
    """One thing looked at: ``status`` is ok, warning or failure, and what is not ok has a ``fix``."""

    check: str
    status: str
    text: str
    fix: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)
