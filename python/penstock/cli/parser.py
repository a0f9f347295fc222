# SPDX-License-Identifier: Apache-2.0
"""Arguments: argparse with examples first, and a suggestion for each misspelt word."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from types import ModuleType
from typing import NoReturn

from penstock.cli.commands import EPILOG, Command, suggestion
from penstock.cli.status import CommandError


class Parser(argparse.ArgumentParser):
    """The parser of one command."""

    def __init__(self, name: str, command: Command) -> None:
        super().__init__(
            prog=f"penstock {name}",
            description=command.about,
            epilog=EPILOG,
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self._examples = command.examples

    def format_help(self) -> str:
        return "examples:\n" + "".join(f"  {each}\n" for each in self._examples) + "\n" + super().format_help()

    def read(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Parses; options and operands may come in any order."""
        known, unknown = self.parse_known_intermixed_args(arguments)
        if unknown:
            self._unknown(unknown[0])
        return known

    def error(self, message: str) -> NoReturn:
        # argparse counts an operand that may be left out among the required ones when it parses in any order.
        message = message.replace("EXPR, NAME=FILE", "EXPR")
        raise CommandError(f"{message}\n  {self.prog} --help shows the options, with examples")

    def _unknown(self, option: str) -> NoReturn:
        options = [each for action in self._actions for each in action.option_strings if each.startswith("--")]
        if not option.startswith("-"):
            self.error(f"unexpected argument '{option}'")
        lines = [f"unknown option '{option}'"]
        close = suggestion(option.split("=", 1)[0], options)
        if close:
            lines.append(f"  did you mean {close}?")
        elif not option.startswith("--"):
            lines.append(f"  an expression that begins with '-' is written in brackets: '({option})'")
        lines.append(f"  {self.prog} --help shows the options")
        raise CommandError("\n".join(lines))


def run_command(name: str, command: Command, module: ModuleType, arguments: Sequence[str]) -> int:
    """Parses the arguments of a command, whose module has ``add_arguments`` and ``run``; its exit status."""
    parser = Parser(name, command)
    module.add_arguments(parser)
    return int(module.run(parser.read(arguments)))


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    """The options of every command that evaluates."""
    memory = "memory budget, such as 1GiB or 50%%; default: PENSTOCK_MEMORY, else 80%% of what is free"
    parser.add_argument("--memory", metavar="SIZE", help=memory)
    threads = "number of threads; default: PENSTOCK_THREADS, else the CPUs"
    parser.add_argument("--threads", metavar="N", type=positive, help=threads)


def add_json_option(parser: argparse.ArgumentParser) -> None:
    """``--json``, the same for all."""
    parser.add_argument("--json", action="store_true", help="write JSON on standard output; errors are JSON too")


def add_operands(parser: argparse.ArgumentParser) -> None:
    """The expression and the files its names stand for."""
    parser.add_argument("expression", metavar="EXPR", help="what to calculate, such as 'mean(a, axis=0)'")
    parser.add_argument(
        "operands",
        metavar="NAME=FILE",
        nargs="*",
        help="the array a name stands for: a .npy file, or raw data as NAME=FILE:DTYPE:SHAPE[:OFFSET], "
        "such as a=x.raw:float32:100,200; NAME=- is a pipe",
    )


def positive(text: str) -> int:
    """A whole number of at least 1."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no whole number of at least 1")
    return value
