# SPDX-License-Identifier: Apache-2.0
"""A profile as files: profile.json, profile.md, flamegraph.svg and profile.html, which needs no other file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

from penstock.lab import flamegraph
from penstock.lab.counters import gpu_text
from penstock.lab.svg import number_text
from penstock.progress import size_text

Profile = dict[str, Any]


def write(profile: Profile, directory: Path) -> list[Path]:
    """Writes the four files into ``directory``, which is made. FileExistsError where an earlier one lies."""
    directory.mkdir(parents=True, exist_ok=True)
    picture = draw(profile)
    texts = {
        "profile.json": json.dumps(profile, indent=1) + "\n",
        "profile.md": markdown(profile),
        "flamegraph.svg": picture,
        "profile.html": html(profile, picture),
    }
    for name, text in texts.items():
        with open(directory / name, "x", encoding="utf-8") as file:
            file.write(text)
    return [directory / name for name in texts]


def draw(profile: Profile) -> str:
    """The flamegraph of a profile, as SVG."""
    stacks = {tuple(names): seconds for names, seconds in profile["stacks"]}
    return flamegraph.draw(flamegraph.tree(stacks), f"Where {profile['target']} spends its time")


def markdown(profile: Profile) -> str:
    """The profile in words and tables."""
    text = [f"# Profile of {profile['target']}", "", f"{profile['when']}, Python {profile['python']}.", ""]
    text += [f"* {each}" for each in summary(profile)]
    text += ["", "![flamegraph](flamegraph.svg)", "", "## Hot lines", ""]
    hot = hot_rows(profile)
    text += _table(HOT_HEAD, hot) if hot else ["No line takes more than a tenth of the time."]
    text += ["", SHARES, "", "## Allocations", "", *_allocations(profile)]
    text += ["", "## Hardware counters", "", *_counters(profile)]
    return "\n".join([*text, "", "## Instructions and cache", "", *_simulated(profile)]) + "\n"


SHARES = (
    "Shares are of the main thread's wall time; other threads add the CPU time they took. *Own* is the line itself "
    "with the C functions it calls, *total* includes the Python it calls, *waiting* is the part of own in which no "
    "thread of the process ran."
)
HOT_HEAD = ("line", "function", "own", "total", "waiting", "source")


def summary(profile: Profile) -> list[str]:
    """One sentence each about time, memory, input and output, and GPU."""
    time, memory = profile["time"], profile["memory"]
    calls = f"{time['calls']} call{'s' * (time['calls'] != 1)}"
    busy = f"{time['cpus_used']:.2f} processors busy on average, {time['wait_share']:.0%} spent waiting"
    samples = f"{time['samples']} samples, {time['switches']} thread switches"
    faults = f"{memory['minor_faults']} page faults, {memory['major_faults']} more from disk"
    return [
        f"time: {number_text(time['seconds'], 's')} in {calls}, {busy}; {samples}",
        f"memory: peak {size_text(memory['peak_bytes'])} with Python itself, {faults}",
        f"input and output: {_io(profile['io'])}",
        f"GPU: {gpu_text(profile['gpu'])}",
    ]


def _io(io: dict[str, Any]) -> str:
    if "missing" in io:
        return f"not available ({io['missing']})"
    calls = f"{size_text(io['rchar'])} read, {size_text(io['wchar'])} written through calls"
    if "read_bytes" not in io:
        return calls
    return f"{calls}; {size_text(io['read_bytes'])} from and {size_text(io['write_bytes'])} to the disk"


def hot_rows(profile: Profile) -> list[tuple[str, ...]]:
    """The table of the lines that take more than a tenth of the time."""
    return [
        (
            f"{row['file']}:{row['line']}", row["function"], f"{row['own']:.1%}", f"{row['total']:.1%}",
            f"{row['waited']:.1%}", row["code"],
        )
        for row in profile["lines"] if row["hot"]
    ]  # fmt: skip


def _allocations(profile: Profile) -> list[str]:
    found = profile["allocations"]
    if "missing" in found:
        return [f"Not available ({found['missing']})."]
    text = [f"At its peak Python held {size_text(found['peak_bytes'])}; this is who held it at {_seen(found)}.", ""]
    rows = [(f"{each['file']}:{each['line']}", size_text(each["bytes"]), str(each["n"])) for each in found["lines"]]
    text += _table(("line", "held", "blocks"), rows) if rows else ["No line held more than 64 KiB."]
    return [*text, "", "Memory that C++ takes by itself, such as Penstock's pool, is in the process's peak only."]


def _seen(found: dict[str, Any]) -> str:
    return f"{size_text(found['seen_bytes'])}, the most that a look every 10 ms met"


def _counters(profile: Profile) -> list[str]:
    found = dict(profile["counters"])
    missing = found.pop("missing")
    rows = [(name.replace("_", " "), _count(value)) for name, value in found.items()]
    reasons: dict[str, list[str]] = {}
    for name, why in missing.items():
        reasons.setdefault(why, []).append(name.replace("_", " "))
    text = [*_table(("counter", "value"), rows), ""] if rows else []
    return text + [f"Not available: {', '.join(names)} ({why})." for why, names in reasons.items()]


# callgrind's events as a reader knows them.
_EVENTS = {
    "Ir": "instructions",
    "Dr": "data reads",
    "Dw": "data writes",
    "I1mr": "instruction misses, L1",
    "D1mr": "read misses, L1",
    "D1mw": "write misses, L1",
    "ILmr": "instruction misses, last level",
    "DLmr": "read misses, last level",
    "DLmw": "write misses, last level",
}


def _simulated(profile: Profile) -> list[str]:
    """Of one call under callgrind; a profile without them was made before they were counted."""
    found = profile.get("simulated", {"missing": "not counted"})
    if "missing" in found:
        return [f"{found['missing'][:1].upper()}{found['missing'][1:]}."]
    rows = [(_EVENTS.get(name, name), f"{value:,}") for name, value in found.items()]
    what = "Of one call, on one thread for AVX2, in the caches that callgrind simulates: no noise reaches them."
    return [*_table(("event", "count"), rows), "", what]


def simulated_lines(profile: Profile) -> list[str]:
    """The same in lines of text."""
    found = profile["simulated"]
    if "missing" in found:
        return [f"instructions and cache: {found['missing']}"]
    return [f"one call: {value:,} {_EVENTS.get(name, name)}" for name, value in found.items()]


def _count(value: float) -> str:
    return number_text(value) if isinstance(value, int) else f"{value:.3g}"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    head = list(head)
    text = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return text + [f"| {' | '.join(each.replace('|', '/') for each in row)} |" for row in rows]


def html(profile: Profile, picture: str) -> str:
    """One page with the flamegraph (a click on a function shows it over the whole width) and all tables."""
    hot = hot_rows(profile)
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Profile of {escape(profile['target'])}</title>",
        f"<style>{_STYLE}</style><h1>Profile of {escape(profile['target'])}</h1>",
        f"<p>{escape(profile['when'])}, Python {escape(profile['python'])}</p><ul>",
        *(f"<li>{escape(each)}</li>" for each in summary(profile)),
        "</ul><p>A click on a function shows it over the whole width, one on <i>all</i> shows everything again.</p>",
        picture,
        "<h2>Hot lines</h2>",
        _html_table(HOT_HEAD, hot) if hot else "<p>No line takes more than a tenth of the time.</p>",
        f"<p>{escape(SHARES).replace('*', '')}</p><h2>Allocations</h2>",
        *_as_html(_allocations(profile)),
        "<h2>Hardware counters</h2>",
        *_as_html(_counters(profile)),
        "<h2>Instructions and cache</h2>",
        *_as_html(_simulated(profile)),
        f"<script>{_ZOOM}</script></html>",
    ]
    return "\n".join(parts) + "\n"


def _html_table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    top = "".join(f"<th>{escape(each)}</th>" for each in head)
    body = "".join(f"<tr>{''.join(f'<td>{escape(each)}</td>' for each in row)}</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{body}</table>"


def _as_html(lines: list[str]) -> list[str]:
    """The lines of a section of the Markdown: its table as a table, each other line as a paragraph."""
    cells = [[each.strip() for each in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    prose = [f"<p>{escape(line)}</p>" for line in lines if line and not line.startswith("|")]
    return [*([_html_table(cells[0], cells[1:])] if cells else []), *prose]


_STYLE = """
body { font: 15px/1.45 sans-serif; color: #1a202c; max-width: 1240px; margin: 2em auto; padding: 0 1em }
table { border-collapse: collapse } td, th { padding: 2px 10px 2px 0; text-align: left; vertical-align: top }
td { font-family: monospace; border-top: 1px solid #e2e8f0 }
svg { max-width: 100%; height: auto } .f { cursor: pointer }
"""
_ZOOM = """
for (const clicked of document.querySelectorAll('.f')) clicked.onclick = () => {
  const from = +clicked.dataset.x, wide = +clicked.dataset.w, room = 1168;
  for (const each of document.querySelectorAll('.f')) {
    const box = each.querySelector('rect'), name = each.querySelector('title').textContent.split('\\n')[0];
    const left = Math.max(0, (+each.dataset.x - from) / wide);
    const right = Math.min(1, (+each.dataset.x + +each.dataset.w - from) / wide);
    const above = +each.dataset.x <= from + 1e-6 && +each.dataset.x + +each.dataset.w >= from + wide - 1e-6;
    each.style.display = right - left > 0.0003 ? '' : 'none';
    each.style.opacity = above && each.dataset.w - wide > 1e-6 ? 0.6 : 1;
    box.setAttribute('x', 16 + left * room);
    box.setAttribute('width', Math.max(0.3, (right - left) * room - 0.5));
    let label = each.querySelector('text');
    if (!label) {
      label = document.createElementNS('http://www.w3.org/2000/svg', 'text');
      label.setAttribute('y', +box.getAttribute('y') + 12.5);
      each.append(label);
    }
    const letters = Math.floor(((right - left) * room - 6) / 6.6);
    label.setAttribute('x', 19 + left * room);
    label.textContent = letters >= name.length ? name : letters >= 4 ? name.slice(0, letters - 1) + '…' : '';
  }
};
"""
