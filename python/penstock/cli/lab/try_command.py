# SPDX-License-Identifier: Apache-2.0
"""``penstock lab try``: the files of an optimisation."""

from __future__ import annotations

import argparse
import sys

from penstock.cli import status


def add_arguments(to: argparse.ArgumentParser) -> None:
    to.add_argument("name", metavar="NAME", help="the project")
    to.add_argument("tried", metavar="TRY", help="the optimisation's name")


def run(arguments: argparse.Namespace) -> int:
    from penstock.lab import layout, scaffold

    tried = layout.existing_project(arguments.name).tried(arguments.tried)
    scaffold.new_try(tried)
    sys.stdout.write(status.printable(f"made {tried.folder}\n"))
    sys.stdout.write(f"next: write implementation.py, then penstock lab validate {arguments.name} {arguments.tried}\n")
    return status.OK
