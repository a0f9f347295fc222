# SPDX-License-Identifier: Apache-2.0
"""``penstock completion``: what a shell needs to complete commands, options and files, made from the parsers."""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import NamedTuple

from penstock.cli import status
from penstock.cli.commands import COMMANDS
from penstock.cli.parser import Parser


class Option(NamedTuple):
    """A long option, its short form or nothing, its help, and whether a value follows."""

    name: str
    short: str
    about: str
    takes_value: bool


def add_arguments(to: argparse.ArgumentParser) -> None:
    to.add_argument("shell", choices=sorted(SHELLS), help="the shell to write for")


def run(arguments: argparse.Namespace) -> int:
    sys.stdout.write(SHELLS[arguments.shell]())
    return status.OK


def options_of(command: str) -> list[Option]:
    """The options of a command."""
    parser = Parser(command)
    importlib.import_module(f"penstock.cli.{COMMANDS[command].module}").add_arguments(parser)
    found = []
    for action in parser._actions:
        names = [each for each in action.option_strings if each.startswith("--")]
        short = next((each for each in action.option_strings if not each.startswith("--")), "")
        if names:
            about = (action.help or "").replace("%%", "%")
            found.append(Option(names[0], short, about, action.nargs != 0))
    return found


def bash() -> str:
    """For ``source <(penstock completion bash)``; what follows NAME= is a file, which bash completes by itself."""
    rows = []
    for command in COMMANDS:
        words = " ".join(each.name for each in options_of(command))
        rows.append(f"    {command}) words='{' '.join(SHELLS) if command == 'completion' else words}' ;;")
    return "\n".join(
        [
            "_penstock() {",
            "  local words current=${COMP_WORDS[COMP_CWORD]}",
            "  COMPREPLY=()",
            "  if ((COMP_CWORD == 1)); then",
            f"    COMPREPLY=($(compgen -W '{' '.join(COMMANDS)} --help --version' -- \"$current\"))",
            "    return",
            "  fi",
            "  case ${COMP_WORDS[1]} in",
            *rows,
            "  esac",
            "  if [[ $current == -* || ${COMP_WORDS[1]} == completion ]]; then",
            '    COMPREPLY=($(compgen -W "$words" -- "$current"))',
            "  fi",
            "}",
            "complete -o bashdefault -o default -F _penstock penstock\n",
        ]
    )


def zsh() -> str:
    """For a file named _penstock in $fpath, or ``source <(penstock completion zsh)``."""
    rows = []
    for command in COMMANDS:
        described = [_quoted(f"{each.name}:{each.about}") for each in options_of(command)]
        rows.append(f"    {command}) options=({' '.join(described)}) ;;")
    commands = " ".join(_quoted(f"{name}:{command.about}") for name, command in COMMANDS.items())
    return "\n".join(
        [
            "#compdef penstock",
            "_penstock() {",
            "  local -a commands options",
            f"  commands=({commands})",
            "  if ((CURRENT == 2)); then",
            "    _describe command commands",
            "    return",
            "  fi",
            "  case $words[2] in",
            *rows,
            "  esac",
            "  if [[ $words[2] == completion ]]; then",
            f"    compadd {' '.join(SHELLS)}",
            "  elif [[ $PREFIX == -* ]]; then",
            "    _describe option options",
            "  else",
            "    compset -P '*='",
            "    _files",
            "  fi",
            "}",
            "compdef _penstock penstock\n",
        ]
    )


def fish() -> str:
    """For ~/.config/fish/completions/penstock.fish."""
    lines = []
    for name, command in COMMANDS.items():
        lines.append(f"complete -c penstock -n __fish_use_subcommand -f -a {name} -d {_quoted(command.about)}")
    for name in COMMANDS:
        only = f"complete -c penstock -n '__fish_seen_subcommand_from {name}'"
        for each in options_of(name):
            short = f" -s {each.short[1:]}" if each.short else ""
            value = " -r" if each.takes_value else ""
            lines.append(f"{only} -l {each.name[2:]}{short}{value} -d {_quoted(each.about)}")
    lines.append(f"complete -c penstock -n '__fish_seen_subcommand_from completion' -f -a '{' '.join(SHELLS)}'")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """In single quotes, in which a quote ends them, stands escaped, and begins them again: so in all three shells."""
    return "'" + text.replace("'", "'\\''") + "'"


SHELLS = {"bash": bash, "fish": fish, "zsh": zsh}
