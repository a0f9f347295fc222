# SPDX-License-Identifier: Apache-2.0
"""Runs the ``penstock`` command of this environment, for the tests."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

COMMAND = [sys.executable, "-m", "penstock"]


def environment(**changes: str) -> dict[str, str]:
    """The environment without what would change the output, and with ``changes``."""
    inherited = {
        name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")
    }
    return {**inherited, "TERM": "xterm", **changes}


def run(*arguments: str | Path, cwd: Path | None = None, **options: Any) -> subprocess.CompletedProcess[str]:
    """One command to its end."""
    changes = options.pop("variables", {})
    settings: dict[str, Any] = {"capture_output": True, "text": True, "timeout": 120, "check": False, **options}
    return subprocess.run([*COMMAND, *map(str, arguments)], cwd=cwd, env=environment(**changes), **settings)


def has_ended(pid: int, within: float = 10.0) -> bool:
    """Whether a process ends: a signal may take a moment. One that has ended may wait for its parent."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state in "ZX":
            return True
        time.sleep(0.01)
    return False
