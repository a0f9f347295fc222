# SPDX-License-Identifier: Apache-2.0
"""What holds for every test."""

from __future__ import annotations

import signal

# A shell's background job ignores Ctrl-C, and so would the tests that interrupt themselves and what they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
