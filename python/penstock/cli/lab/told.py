# SPDX-License-Identifier: Apache-2.0
"""What a measurement tells while it runs: lines of text, and below them how many quadruples there are."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from penstock import progress
from penstock.cli import status

if TYPE_CHECKING:
    from penstock.lab.pairs import Times


@contextmanager
def telling(as_json: bool) -> Iterator[tuple[Callable[[str], None], Callable[..., Times]]]:
    """Gives a function that writes a line, unless the output is JSON, and one that measures and shows its progress."""
    from penstock.lab.pairs import measure_until

    with progress.line_of_text() as show:

        def say(text: str) -> None:
            show("")
            if not as_json:
                sys.stdout.write(status.printable(f"{text}\n"))
                sys.stdout.flush()

        yield say, partial(measure_until, watch=lambda times: show(f"{times.quadruples} quadruples"))
