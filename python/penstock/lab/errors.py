# SPDX-License-Identifier: Apache-2.0
"""What the lab raises."""

from __future__ import annotations


class LabError(Exception):
    """A project, a try or a result that cannot be used: what, where, expected and got, and the fix on its own line.

    `exit_status` is what the command ends with: 1 for something that was tried and failed, 2 for a wrong request.
    """

    def __init__(self, message: str, exit_status: int = 1) -> None:
        super().__init__(message)
        self.exit_status = exit_status
