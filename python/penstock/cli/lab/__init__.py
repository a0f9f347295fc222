# SPDX-License-Identifier: Apache-2.0
"""The table of the commands of ``penstock lab``: one row a command, in the order in which they are used."""

from __future__ import annotations

from penstock.cli.commands import Command

LAB_COMMANDS = {
    "new": Command(
        "lab.new_command",
        "make a project: baseline, cases, thresholds, runnable at once",
        ("penstock lab new gravity --target 'sim:run' --seed 42", "penstock lab new waves --target 'waves.core:step'"),
    ),
    "baseline": Command(
        "lab.baseline_command",
        "freeze the reference: its outputs, code and cost",
        ("penstock lab baseline gravity", "penstock lab baseline gravity --again"),
    ),
    "try": Command(
        "lab.try_command",
        "begin an optimisation",
        ("penstock lab try gravity sparse_v1", "penstock lab try gravity fused"),
    ),
    "validate": Command(
        "lab.validate_command",
        "check that an optimisation gives the baseline's results",
        ("penstock lab validate gravity sparse_v1", "penstock lab validate gravity sparse_v1 --json"),
    ),
    "bench": Command(
        "lab.bench_command",
        "measure a valid optimisation against its baseline",
        ("penstock lab bench gravity sparse_v1", "penstock lab bench gravity sparse_v1 --json"),
    ),
    "report": Command(
        "lab.report_command",
        "write what was tried and found, as Markdown and HTML with pictures",
        ("penstock lab report gravity", "penstock lab report waves"),
    ),
    "promote": Command(
        "lab.promote_command",
        "guard an optimisation's speed-up from now on",
        (
            "penstock lab promote gravity sparse_v1 --min-speedup 3",
            "penstock lab promote waves fused --min-speedup 1.2",
        ),
    ),
    "check": Command(
        "lab.check_command",
        "measure what was promoted again; fail on a confirmed regression",
        ("penstock lab check", "penstock lab check gravity-sparse_v1 --json"),
    ),
    "history": Command(
        "lab.history_command",
        "show where this machine's results changed",
        ("penstock lab history", "penstock lab history gravity/ --json"),
    ),
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
            "penstock lab profile gravity",
            "penstock lab profile --script 'simulate.py --steps 100' -o profile/first",
        ),
    ),
    "roofline": Command(
        "lab.roofline_command",
        "measure this machine's ceilings and place recorded kernels on them in a picture",
        ("penstock lab roofline", "penstock lab roofline --quick --no-disk -o picture"),
    ),
}
