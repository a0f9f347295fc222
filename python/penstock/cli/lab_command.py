# SPDX-License-Identifier: Apache-2.0
"""``penstock lab NAME ...``: hands its arguments to one of the lab's commands; alone, lists them."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from penstock.cli import status
from penstock.cli.commands import COMMANDS, EPILOG, unknown_command
from penstock.cli.lab import LAB_COMMANDS

# What completion offers after the command's name.
BELOW = LAB_COMMANDS


def add_arguments(_: argparse.ArgumentParser) -> None:
    """The group itself has no options but --help; each of its commands has its own."""


def dispatch(arguments: Sequence[str]) -> int:
    """Runs one of the lab's commands and returns its exit status."""
    if not arguments or arguments[0] in ("-h", "--help"):
        sys.stdout.write(listing())
        return status.OK
    name, *rest = arguments
    if name == "help":
        return dispatch([*rest, "--help"])
    if name not in LAB_COMMANDS:
        raise unknown_command(name, LAB_COMMANDS, "penstock lab")
    from penstock.cli.parser import run_command

    command = LAB_COMMANDS[name]
    return run_command(f"lab {name}", command, importlib.import_module(f"penstock.cli.{command.module}"), rest)


def listing() -> str:
    """The lab's commands, each with a line about it."""
    lines = ["examples:", *(f"  {each}" for each in COMMANDS["lab"].examples), ""]
    lines += ["usage: penstock lab COMMAND [arguments]", ""]
    lines += ["no speed-up without proof: interleaved runs, intervals, verdicts", "", "commands:"]
    lines += [f"  {name:<10} {command.about}" for name, command in LAB_COMMANDS.items()]
    lines += ["", "  penstock lab COMMAND --help shows a command's own options", "", EPILOG]
    return "\n".join(lines) + "\n"
