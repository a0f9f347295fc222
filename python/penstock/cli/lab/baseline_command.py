# SPDX-License-Identifier: Apache-2.0
"""``penstock lab baseline``: freezes the reference."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from penstock.cli import parser, status


def add_arguments(to: argparse.ArgumentParser) -> None:
    to.add_argument("name", metavar="NAME", help="the project")
    to.add_argument("--again", action="store_true", help="freeze anew; earlier freezes stay")
    parser.add_json_option(to)


def run(arguments: argparse.Namespace) -> int:
    from penstock.lab import baseline, layout, machine

    project = layout.existing_project(arguments.name)
    record = baseline.freeze(project, again=arguments.again, machine=machine.record(project.base))
    if arguments.json:
        from penstock.cli.values import write_json

        write_json(record)
    else:
        sys.stdout.write(status.printable(_as_text(record)))
    for each in record["invariants_exceeded"]:
        status.warn(f"{each}; a try that does the same will not pass")
    return status.OK


def _as_text(record: dict[str, Any]) -> str:
    from penstock.lab.svg import number_text
    from penstock.progress import size_text

    lines = [f"froze {record['project']} as {record['freeze']}: code {record['code_hash'][:12]}"]
    for name, each in record["measured"].items():
        used = each["usage"]
        peak = "not available" if used["memory_peak"] is None else size_text(used["memory_peak"])
        io = used["io"]
        disk = "not available" if io is None else f"{size_text(io['rchar'])} read, {size_text(io['wchar'])} written"
        lines += [
            f"{name}:",
            f"  time     median {number_text(each['median_seconds'], 's')} of {each['n']} runs",
            f"  CPU      {number_text(used['cpu_seconds'], 's')}, {used['cpus_used']:.2f} CPUs",
            f"  memory   peak {peak}, average {size_text(used['memory_average'])}",
            f"  faults   {used['minor_faults']} minor, {used['major_faults']} major",
            f"  I/O      {disk}",
        ]
    lines.append(f"GPU: {record['gpu']}")
    lines.append(f"next: penstock lab profile {record['project']}, penstock lab try {record['project']} NAME")
    return "\n".join(lines) + "\n"
