# SPDX-License-Identifier: Apache-2.0
"""``penstock lab history``: where results of this machine changed."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from penstock.cli import parser, status


def add_arguments(to: argparse.ArgumentParser) -> None:
    to.add_argument("row", metavar="ROW", nargs="?", default="", help="only rows that begin so, such as gravity/")
    to.add_argument("-o", "--output", metavar="DIRECTORY", help="where the pictures go; default: results/ in the root")
    parser.add_json_option(to)


def run(arguments: argparse.Namespace) -> int:
    from penstock.lab import history, history_picture, layout, machine, results

    root = layout.root()
    lines = [each for each in results.read(root) if str(each.get("row", "")).startswith(arguments.row)]
    here = machine.identity(machine.record(root.parent))
    found, others = history.history(lines, here)
    files = history_picture.write(Path(arguments.output or root / "results"), found, others) if found else []
    if arguments.json:
        from dataclasses import asdict

        from penstock.cli.values import write_json

        rows, names = [asdict(each) for each in found], [str(each) for each in files]
        write_json({"identity": here, "rows": rows, "other_machines": others, "files": names})
        return status.OK
    for each in found:
        sys.stdout.write(status.printable(each.text() + "\n"))
    if not found:
        sys.stdout.write(f"no results of this machine ({here}) in {root / 'results'}\n")
    for name, count in others.items():
        sys.stdout.write(f"not compared: {count} results of another machine ({name})\n")
    sys.stdout.write("".join(status.printable(f"written: {each}\n") for each in files))
    return status.OK
