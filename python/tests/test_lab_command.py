# SPDX-License-Identifier: Apache-2.0
"""`penstock lab` itself: its list, its help, misspelt commands, and what it must not load."""

from __future__ import annotations

import importlib

import pytest
from command import run

from penstock.cli.lab import LAB_COMMANDS


def test_alone_it_lists_its_commands() -> None:
    done = run("lab")
    assert done.returncode == 0
    assert done.stderr == ""
    for name, command in LAB_COMMANDS.items():
        assert f"  {name:<10} {command.about}\n" in done.stdout
    assert "5 regression found" in done.stdout
    assert run("lab", "--help").stdout == run("help", "lab").stdout == done.stdout


@pytest.mark.parametrize("name", LAB_COMMANDS)
def test_help_of_each_begins_with_two_examples(name: str) -> None:
    done = run("lab", name, "--help")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "examples:"
    assert [line.startswith(f"  penstock lab {name}") for line in lines[1:4]] == [True, True, False]
    assert run("lab", "help", name).stdout == run("help", "lab", name).stdout == done.stdout


@pytest.mark.parametrize("name", LAB_COMMANDS)
def test_each_row_has_its_module(name: str) -> None:
    module = importlib.import_module(f"penstock.cli.{LAB_COMMANDS[name].module}")
    assert module.__name__.endswith(f"{name}_command")
    assert callable(module.run)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["compar"], "did you mean 'penstock lab compare'?"),
        (["xyzzy"], "the commands are "),
        (["--jsno"], "unknown option '--jsno'"),
        (["compare", "true", "true", "--jsno"], "did you mean --json?"),
    ],
)
def test_a_misspelt_word_gets_a_suggestion(arguments: list[str], says: str) -> None:
    done = run("lab", *arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stdout == ""
