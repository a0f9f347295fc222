# SPDX-License-Identifier: Apache-2.0
"""A document as a list of blocks, written as Markdown with pictures beside it, or as one HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path


@dataclass(frozen=True)
class Heading:
    level: int
    text: str


@dataclass(frozen=True)
class Text:
    """A paragraph; backquotes mark code."""

    text: str


@dataclass(frozen=True)
class Items:
    texts: Sequence[str]


@dataclass(frozen=True)
class Table:
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Picture:
    """An <svg> element, and the name of its file beside a Markdown document."""

    name: str
    about: str
    svg: str


Block = Heading | Text | Items | Table | Picture

STYLE = """\
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1a202c; }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto; }
th, td { border: 1px solid #cbd5e0; padding: .3rem .7rem; text-align: left; vertical-align: top; }
th { background: #f7fafc; } code { background: #edf2f7; padding: 0 .2rem; }
svg { max-width: 100%; height: auto; } h1, h2, h3 { line-height: 1.2; margin-top: 2rem; }"""


def markdown(blocks: Sequence[Block], pictures: str) -> str:
    """The document with its pictures in the folder `pictures`, relative to it."""
    return "\n\n".join(_markdown(each, pictures) for each in blocks) + "\n"


def _markdown(block: Block, pictures: str) -> str:
    if isinstance(block, Heading):
        return f"{'#' * block.level} {block.text}"
    if isinstance(block, Text):
        return block.text
    if isinstance(block, Items):
        return "\n".join(f"* {each}" for each in block.texts)
    if isinstance(block, Picture):
        return f"![{block.about}]({pictures}/{block.name}.svg)"
    rows = [list(block.head), ["---"] * len(block.head), *block.rows]
    return "\n".join("| " + " | ".join(each.replace("|", "\\|") for each in row) + " |" for row in rows)


def html(title: str, blocks: Sequence[Block]) -> str:
    """The document in one file, pictures and style inside."""
    body = "\n".join(_html(each) for each in blocks)
    head = f'<meta charset="utf-8">\n<title>{escape(title)}</title>\n<style>\n{STYLE}\n</style>'
    return f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n{body}\n</body>\n</html>\n'


def _html(block: Block) -> str:
    if isinstance(block, Heading):
        return f"<h{block.level}>{_inline(block.text)}</h{block.level}>"
    if isinstance(block, Text):
        return f"<p>{_inline(block.text)}</p>"
    if isinstance(block, Items):
        return "<ul>" + "".join(f"<li>{_inline(each)}</li>" for each in block.texts) + "</ul>"
    if isinstance(block, Picture):
        return f"<figure>{block.svg}</figure>"
    head = "".join(f"<th>{_inline(each)}</th>" for each in block.head)
    rows = ["<tr>" + "".join(f"<td>{_inline(each)}</td>" for each in row) + "</tr>" for row in block.rows]
    return f"<table><tr>{head}</tr>\n" + "\n".join(rows) + "</table>"


def _inline(text: str) -> str:
    """Escaped, what stands in backquotes as code."""
    parts = escape(text).split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return "".join(f"<code>{each}</code>" if place % 2 else each for place, each in enumerate(parts))


def write(folder: Path, name: str, title: str, blocks: Sequence[Block]) -> list[Path]:
    """name.md, name.html and a picture each under pictures/; returns the two documents."""
    pictures = folder / "pictures"
    for each in blocks:
        if isinstance(each, Picture):
            pictures.mkdir(parents=True, exist_ok=True)
            (pictures / f"{each.name}.svg").write_text(each.svg, encoding="utf-8")
    documents = {f"{name}.md": markdown(blocks, "pictures"), f"{name}.html": html(title, blocks)}
    for file, text in documents.items():
        (folder / file).write_text(text, encoding="utf-8")
    return [folder / file for file in documents]
