# SPDX-License-Identifier: Apache-2.0
"""``penstock lab new``: a project that runs at once."""

from __future__ import annotations

import argparse
import sys

from penstock.cli import status


def add_arguments(to: argparse.ArgumentParser) -> None:
    to.add_argument("name", metavar="NAME", help="the project's name, a folder under the lab's root")
    to.add_argument("--target", metavar="MODULE:FUNCTION", required=True, help="what is to be made faster")
    to.add_argument("--seed", metavar="N", type=int, default=42, help="the first of three seeds; default: 42")


def run(arguments: argparse.Namespace) -> int:
    from penstock.lab import layout, scaffold

    project = layout.Project(layout.root(), layout.checked_name(arguments.name))
    remarks = scaffold.new(project, arguments.target, arguments.seed)
    sys.stdout.write(status.printable(f"made {project.folder}\n"))
    for each in remarks:
        status.warn(each)
    sys.stdout.write(f"next: penstock lab baseline {project.name}\n")
    return status.OK
