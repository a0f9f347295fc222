# SPDX-License-Identifier: Apache-2.0
"""The table of rows, in the order in which they run and are shown."""

from __future__ import annotations

import rows_files
import rows_memory
import rows_process
from bench import Row

ROWS: list[Row] = [*rows_memory.ROWS, *rows_files.ROWS, *rows_process.ROWS]
BY_NAME = {row.name: row for row in ROWS}
