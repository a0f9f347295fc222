# SPDX-License-Identifier: Apache-2.0
"""``penstock completion``: what a shell needs to complete commands, options and files, made from the parsers."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import NamedTuple

from penstock.cli import status
from penstock.cli.commands import COMMANDS, Command
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


def commands_of(command: str) -> Mapping[str, Command]:
    """The commands below a command; most have none."""
    found: Mapping[str, Command] = getattr(_module(COMMANDS[command]), "BELOW", {})
    return found


def groups() -> list[str]:
    """The commands that have others below them."""
    return [name for name in COMMANDS if commands_of(name)]


def options_of(command: str, below: str = "") -> list[Option]:
    """The options of a command, or of the one ``below`` it."""
    row = commands_of(command)[below] if below else COMMANDS[command]
    parser = Parser(f"{command} {below}".rstrip(), row)
    _module(row).add_arguments(parser)
    found = []
    for action in parser._actions:
        names = [each for each in action.option_strings if each.startswith("--")]
        short = next((each for each in action.option_strings if not each.startswith("--")), "")
        if names:
            about = (action.help or "").replace("%%", "%")
            found.append(Option(names[0], short, about, action.nargs != 0))
    return found


def _module(row: Command) -> ModuleType:
    return importlib.import_module(f"penstock.cli.{row.module}")


def bash() -> str:
    """For ``source <(penstock completion bash)``; what follows NAME= is a file, which bash completes by itself."""
    rows = []
    for command in COMMANDS:
        words = " ".join(each.name for each in options_of(command))
        rows.append(f"    {command}) words='{' '.join(SHELLS) if command == 'completion' else words}' ;;")
        rows += [
            f"    '{command} {below}') words='{' '.join(each.name for each in options_of(command, below))}' ;;"
            for below in commands_of(command)
        ]
    return "\n".join(
        [
            "_penstock() {",
            "  local words current=${COMP_WORDS[COMP_CWORD]}",
            "  COMPREPLY=()",
            "  if ((COMP_CWORD == 1)); then",
            f"    COMPREPLY=($(compgen -W '{' '.join(COMMANDS)} --help --version' -- \"$current\"))",
            "    return",
            "  fi",
            "  local command=${COMP_WORDS[1]}",
            "  case $command in",
            *(
                f"    {group}) if ((COMP_CWORD == 2)); then COMPREPLY=($(compgen -W '{' '.join(commands_of(group))}'"
                f' -- "$current")); return; fi; command+=" ${{COMP_WORDS[2]}}" ;;'
                for group in groups()
            ),
            "  esac",
            "  case $command in",
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
        for below in commands_of(command):
            described = [_quoted(f"{each.name}:{each.about}") for each in options_of(command, below)]
            rows.append(f"    '{command} {below}') options=({' '.join(described)}) ;;")
    commands = _described(COMMANDS)
    return "\n".join(
        [
            "#compdef penstock",
            "_penstock() {",
            "  local -a commands options",
            "  local command=$words[2]",
            f"  commands=({commands})",
            "  if ((CURRENT == 2)); then",
            "    _describe command commands",
            "    return",
            "  fi",
            "  case $command in",
            *(
                f"    {group}) if ((CURRENT == 3)); then commands=({_described(commands_of(group))});"
                ' _describe command commands; return; fi; command+=" $words[3]" ;;'
                for group in groups()
            ),
            "  esac",
            "  case $command in",
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
        seen = f"__fish_seen_subcommand_from {name}"
        below = commands_of(name)
        lines += [_fish_option(seen, each) for each in options_of(name)]
        for word, command in below.items():
            alone = f"{seen}; and not __fish_seen_subcommand_from {' '.join(below)}"
            lines.append(f"complete -c penstock -n '{alone}' -f -a {word} -d {_quoted(command.about)}")
            both = f"{seen}; and __fish_seen_subcommand_from {word}"
            lines += [_fish_option(both, each) for each in options_of(name, word)]
    lines.append(f"complete -c penstock -n '__fish_seen_subcommand_from completion' -f -a '{' '.join(SHELLS)}'")
    return "\n".join(lines) + "\n"


def _fish_option(condition: str, option: Option) -> str:
    short = f" -s {option.short[1:]}" if option.short else ""
    value = " -r" if option.takes_value else ""
    about = _quoted(option.about)
    return f"complete -c penstock -n '{condition}' -l {option.name[2:]}{short}{value} -d {about}"


def _described(commands: Mapping[str, Command]) -> str:
    """Each command with what it is about, as zsh lists them."""
    return " ".join(_quoted(f"{name}:{command.about}") for name, command in commands.items())


def _quoted(text: str) -> str:
    """In single quotes, in which a quote ends them, stands escaped, and begins them again: so in all three shells."""
    return "'" + text.replace("'", "'\\''") + "'"


SHELLS = {"bash": bash, "fish": fish, "zsh": zsh}
