# SPDX-License-Identifier: Apache-2.0
"""The table of the commands of ``penstock lab``: one row a command, in the order in which they are used."""

from __future__ import annotations

from penstock.cli.commands import Command

LAB_COMMANDS = {
    "compare": Command(
        "lab.compare_command",
        "time two commands or functions against each other: faster, slower, same or undecided",
        (
            "penstock lab compare 'gzip -k -c big' 'zstd -q -c big' --seconds 30",
            "penstock lab compare 'sim:plain' 'sim:sparse' --json",
        ),
    ),
    "profile": Command(
        "lab.profile_command",
        "where time goes: a flamegraph, hot lines, allocations, input and output, hardware counters",
        (
            "penstock lab profile --target 'sim:run'",
            "penstock lab profile --script 'simulate.py --steps 100' -o profile/first",
        ),
    ),
}
