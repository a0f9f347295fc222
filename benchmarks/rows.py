# SPDX-License-Identifier: Apache-2.0
"""The table of rows, in the order in which they run and are shown."""

from __future__ import annotations

import rows_arrays
import rows_bars
import rows_chains
import rows_files
import rows_process
import rows_roofline
import rows_self
import rows_small
import rows_sweep
from bench import Row

ROWS: list[Row] = [
    *rows_roofline.ROWS,
    *rows_bars.ROWS,
    *rows_arrays.ROWS,
    *rows_chains.ROWS,
    *rows_small.ROWS,
    *rows_self.ROWS,
    *rows_files.ROWS,
    *rows_process.ROWS,
    *rows_sweep.ROWS,
]
BY_NAME = {row.name: row for row in ROWS}
