# SPDX-License-Identifier: Apache-2.0
"""New projects and new tries: files that run at once."""

from __future__ import annotations

from pathlib import Path

from penstock.lab.errors import LabError
from penstock.lab.layout import Project, Try
from penstock.lab.process import LOAD_LIMIT, PROJECT, Process
from penstock.lab.target import is_target

BASELINE = '''\
"""The reference of {name}: {target} as it is. It stays plain and runnable; what is faster goes to optimisations/."""

from {module} import {first} as {alias}


def inputs(case, seed):
    """What `run` takes for one case of cases.toml and one seed. It is made off the clock, the same for every try."""
    return {made}


def run(inputs):
    """The named outputs of one run, {{name: array}}. This is on the clock; `inputs` must stay as they are."""
    value = {call}(**inputs)
    return value if isinstance(value, dict) else {{"result": value}}
'''

CASES = """\
# What is run. Results say which cases they are of; one that is dropped or changed later is listed in the report.
seeds = {seeds}

[[case]]
name = "default"
[case.arguments]
{arguments}"""

PHYSICS = """\
# When results are right: |output - reference| <= atol + rtol * |reference|, shapes and dtypes equal.
# Speed has a file of its own, speed.toml.
rtol = 1e-5
atol = 1e-8
bit_identical = false
allow_nan = false

# One output's own limits:
# [outputs.energies]
# rtol = 1e-12

# A function of baseline.py, of (inputs, outputs), whose size stays below a limit:
# [[invariant]]
# name = "energy drift"
# function = "energy_drift"
# at_most = 1e-12
"""

SPEED = """\
# How speed is measured. Results have physics.toml.
quadruples = 15       # ABBA quadruples, at least 10; an undecided comparison buys more
quadruples_a_process = 1  # both sides go on in fresh processes: what one happens to be like must not decide
least_seconds = 0.02  # a sample repeats its call for this long
most_seconds = 60.0   # for one case
time_limit = 600.0    # seconds that one request may take before it is stopped
threshold = 0.05      # a confirmed slowdown beyond this fails `penstock lab check`
"""

README = """\
# {name}

    penstock lab baseline {name}        freeze the reference
    penstock lab profile {name}         where its time goes
    penstock lab try {name} TRY         begin an optimisation
    penstock lab validate {name} TRY    the same results?
    penstock lab bench {name} TRY       how fast? (only once it is valid)
    penstock lab report {name}          report.md, report.html
    penstock lab promote {name} TRY --min-speedup 2
    penstock lab check                  what was promoted still holds

| file | holds |
|---|---|
| baseline.py | the reference: `inputs(case, seed)` off the clock, `run(inputs)` on it |
| cases.toml | cases and seeds |
| physics.toml | when results are right |
| speed.toml | how speed is measured |
| frozen/ | every freeze of the baseline: record, outputs, the files above |
| optimisations/ | the tries |
"""

IMPLEMENTATION = '''\
"""{name} of {project}: what is done differently, in a line."""

from baseline import run as plain


# Optional: what is done once, off the clock, to the inputs of baseline.py. Its seconds are told in the report.
# def set_up(inputs):
#     return inputs


def run(inputs):
    """The same outputs as the baseline's `run`. Lazy results are computed on the clock."""
    return plain(inputs)
'''

NOTES = """\
Replaces:

## Strategy

What is done differently, and why it should be faster. Which kind: algorithmic, memory, parallel or I/O.

## Trade-offs

What it costs: memory, generality, clarity.

## Next steps

What is left to try.
"""


def new(project: Project, target: str, seed: int) -> list[str]:
    """Writes the project's files and returns remarks for the user. Raises LabError: name taken, no such target."""
    if project.folder.exists():
        raise LabError(f"{project.folder} exists already\n  choose another name; nothing was changed", 2)
    module, _, function = target.partition(":")
    if not is_target(target):
        raise LabError(f"--target is '{target}', expected 'module:function', such as 'sim:run'", 2)
    with Process(PROJECT, f"--target '{target}'") as process:
        folders = [str(Path.cwd()), str(project.base)]
        found = process.ask("describe", limit=LOAD_LIMIT, folders=folders, target=target)
    seeded = "seed" in found["parameters"]
    needed = [each for each in found["required"] if each != "seed"]
    first, *inner = function.split(".")
    alias = "_target" if first in ("inputs", "run", "value") else first
    text = BASELINE.format(
        name=project.name,
        target=target,
        module=module,
        first=first,
        alias=alias,
        call=".".join([alias, *inner]),
        made='{**case, "seed": seed}' if seeded else "dict(case)",
    )
    arguments = "".join(f"# {each} = what the target takes\n" for each in needed)
    files = {
        project.baseline: text.replace(f"import {first} as {first}", f"import {first}"),
        project.cases: CASES.format(seeds=[seed, seed + 1, seed + 2], arguments=arguments),
        project.physics: PHYSICS,
        project.speed: SPEED,
        project.folder / "README.md": README.format(name=project.name),
    }
    _write(files)
    remarks = [f"{target} takes {', '.join(needed)}: write values into {project.cases}"] if needed else []
    if not seeded:
        remarks.append(f"{target} has no parameter 'seed': every seed gives the same run, unless inputs() uses it")
    return remarks


def new_try(tried: Try) -> None:
    """Writes a try's files. Raises LabError where there is one of that name."""
    if tried.folder.exists():
        raise LabError(f"{tried.folder} exists already\n  choose another name; nothing was changed", 2)
    text = IMPLEMENTATION.format(name=tried.name, project=tried.project.name)
    _write({tried.implementation: text, tried.notes: NOTES})


def _write(files: dict[Path, str]) -> None:
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
