# SPDX-License-Identifier: Apache-2.0
"""``penstock lab compare``: two commands or functions, timed in interleaved quadruples, and the verdict."""

from __future__ import annotations

import argparse

from penstock.cli import parser, status


def add_arguments(to: argparse.ArgumentParser) -> None:
    to.add_argument("a", metavar="A", help="a shell command, or a Python function as MODULE:FUNCTION")
    to.add_argument("b", metavar="B", help="what it is compared with; the ratio is time(B)/time(A)")
    parser.add_json_option(to)


def run(arguments: argparse.Namespace) -> int:
    raise status.CommandError(f"cannot compare {arguments.a!r} with {arguments.b!r} yet", status.FAILED)
