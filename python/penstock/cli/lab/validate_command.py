# SPDX-License-Identifier: Apache-2.0
"""``penstock lab validate``: whether a try gives the baseline's results."""

from __future__ import annotations

import argparse
import sys

from penstock.cli import parser, status


def add_arguments(to: argparse.ArgumentParser) -> None:
    to.add_argument("name", metavar="NAME", help="the project")
    to.add_argument("tried", metavar="TRY", help="the optimisation")
    parser.add_json_option(to)


def run(arguments: argparse.Namespace) -> int:
    from penstock.lab import layout, report_tables, validate

    tried = layout.existing_try(layout.existing_project(arguments.name), arguments.tried)
    record = validate.validate(tried)
    code = status.OK if record["passed"] else status.FAILED
    if arguments.json:
        from penstock.cli.values import write_json

        write_json(record)
        return code
    word = "passed" if record["passed"] else "FAILED"
    lines = [f"{word}: {arguments.name}, {arguments.tried}: {report_tables.scope(record)}"]
    lines += [f"  {each}" for each in record["faults"]]
    for name, each in record["worst"].items():
        lines.append(f"  {name}: at most {each['absolute']:.3g} apart, {100 * each['share']:.3g} % of what is allowed")
    sys.stdout.write(status.printable("\n".join(lines) + "\n"))
    if record["passed"]:
        sys.stdout.write(f"next: penstock lab bench {arguments.name} {arguments.tried}\n")
    return code
