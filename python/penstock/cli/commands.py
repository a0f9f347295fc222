# SPDX-License-Identifier: Apache-2.0
"""The table of commands, and the help of ``penstock`` itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from penstock.cli.status import CommandError


class Command(NamedTuple):
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
    "tune": Command(
        "tune_command",
        "measure from which sizes on threads and stores around the caches pay here, and keep that",
        ("penstock tune", "penstock tune --seconds 10 -o tune.json"),
    ),
    "lab": Command(
        "lab_command",
        "measure programs against each other, with proof: compare, profile, validate, check",
        (
            "penstock lab",
            "penstock lab compare 'gzip -k -c big' 'zstd -q -c big' --seconds 30",
        ),
    ),
    "completion": Command(
        "completion_command",
        "write a script that completes commands, options and files in your shell",
        (
            "penstock completion bash > ~/.local/share/bash-completion/completions/penstock",
            "penstock completion fish > ~/.config/fish/completions/penstock.fish",
        ),
    ),
}

EPILOG = "exit status: 0 ok, 1 failed, 2 usage, 3 data corrupt, 4 no space or budget, 5 regression found, 130 Ctrl-C"


def suggestion(word: str, known: Sequence[str]) -> str:
    """The known word nearest to ``word``, or nothing."""
    import difflib

    found = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return found[0] if found else ""


def unknown_command(name: str, known: Mapping[str, Command] = COMMANDS, prog: str = "penstock") -> CommandError:
    """The complaint about a word that is no command of ``prog``."""
    close = suggestion(name, list(known))
    what = "option" if name.startswith("-") else "command"
    lines = [f"unknown {what} '{name}'"]
    if close:
        lines.append(f"  did you mean '{prog} {close}'?")
    lines.append(f"  the commands are {', '.join(known)}; {prog} --help says what each does")
    return CommandError("\n".join(lines))


def general_help() -> str:
    """The help of ``penstock`` itself."""
    lines = ["examples:", f"  {COMMANDS['eval'].examples[0]}", f"  {COMMANDS['info'].examples[0]}", ""]
    lines += ["usage: penstock COMMAND [arguments]", ""]
    lines += ["arrays of any size: lazy, fused, streamed within a memory budget", "", "commands:"]
    lines += [f"  {name:<10} {command.about}" for name, command in COMMANDS.items()]
    lines += ["", "options:", "  -h, --help     show this help; penstock COMMAND --help shows a command's own"]
    lines += ["  -V, --version  show the version", "", EPILOG]
    return "\n".join(lines) + "\n"
