# SPDX-License-Identifier: Apache-2.0
"""``penstock lab report``: a project's report as Markdown and as one HTML file."""

from __future__ import annotations

import argparse
import sys

from penstock.cli import status


def add_arguments(to: argparse.ArgumentParser) -> None:
    to.add_argument("name", metavar="NAME", help="the project")


def run(arguments: argparse.Namespace) -> int:
    from penstock.lab import layout, report

    for path in report.report(layout.existing_project(arguments.name)):
        sys.stdout.write(status.printable(f"written: {path}\n"))
    return status.OK
