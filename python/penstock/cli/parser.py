# SPDX-License-Identifier: Apache-2.0
"""Arguments: argparse with examples first, and a suggestion for each misspelt word."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from penstock.cli.status import CommandError


@dataclass(frozen=True)
class Command:
    """One row a command: where it is, one line about it, and the two examples its help begins with."""

    module: str
    about: str
    examples: tuple[str, str]


COMMANDS = {
    "eval": Command(
        "eval_command",
        "calculate an expression over arrays; save the result or print it",
        (
            "penstock eval 'sqrt(u**2 + v**2)' u=u.npy v=v.npy -o speed.npy",
            "penstock eval 'mean(a, axis=(1,2))' a=photos.npy",
        ),
    ),
    "info": Command(
        "info_command",
        "show what an array file holds",
        ("penstock info photos.npy", "penstock info photos.npy --stats --json"),
    ),
    "plan": Command(
        "plan_command",
        "show how an expression would be calculated, without reading any data",
        (
            "penstock plan 'sqrt(u**2 + v**2)' u=u.npy v=v.npy -o speed.npy",
            "penstock plan 'mean(a)' a=photos.npy --memory 256MiB",
        ),
    ),
    "doctor": Command(
        "doctor_command",
        "check this machine and a directory, with a fix for each finding",
        ("penstock doctor", "penstock doctor /data --json"),
    ),
}

EPILOG = "exit status: 0 ok, 1 failed, 2 usage, 3 data corrupt, 4 no space or budget, 130 Ctrl-C"


class Parser(argparse.ArgumentParser):
    """The parser of one command."""

    def __init__(self, name: str) -> None:
        command = COMMANDS[name]
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


def suggestion(word: str, known: Sequence[str]) -> str:
    """The known word nearest to ``word``, or nothing."""
    import difflib

    found = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return found[0] if found else ""


def unknown_command(name: str) -> CommandError:
    """The complaint about a word that is no command."""
    close = suggestion(name, list(COMMANDS))
    what = "option" if name.startswith("-") else "command"
    lines = [f"unknown {what} '{name}'"]
    if close:
        lines.append(f"  did you mean 'penstock {close}'?")
    lines.append(f"  the commands are {', '.join(COMMANDS)}; penstock --help says what each does")
    return CommandError("\n".join(lines))


def general_help() -> str:
    """The help of ``penstock`` itself."""
    lines = ["examples:", f"  {COMMANDS['eval'].examples[0]}", f"  {COMMANDS['info'].examples[0]}", ""]
    lines += ["usage: penstock COMMAND [arguments]", ""]
    lines += ["arrays of any size: lazy, fused, streamed within a memory budget", "", "commands:"]
    lines += [f"  {name:<8} {command.about}" for name, command in COMMANDS.items()]
    lines += ["", "options:", "  -h, --help     show this help; penstock COMMAND --help shows a command's own"]
    lines += ["  -V, --version  show the version", "", EPILOG]
    return "\n".join(lines) + "\n"


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
        "such as a=x.raw:float32:100,200",
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
