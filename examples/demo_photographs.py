# SPDX-License-Identifier: Apache-2.0
"""Cuts crops from a folder of images into one .npy file: demo_photographs.py FOLDER TARGET.npy NUMBER

Each image gives the same number of full-resolution crops, from an even grid of overlapping positions. The file is
written crop by crop, so the memory needed is that of one image; a file made earlier from the same images is kept.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

HEIGHT, WIDTH = 768, 1024


def images(folder: Path) -> list[Path]:
    """The images that a crop fits into, in the order of their names."""
    found = []
    for path in sorted(folder.iterdir()):
        try:
            with Image.open(path) as image:
                if image.width >= WIDTH and image.height >= HEIGHT:
                    found.append(path)
        except (UnidentifiedImageError, OSError):
            continue
    if not found:
        sys.exit(f"demo: no image of at least {WIDTH} x {HEIGHT} in {folder}")
    return found


def positions(height: int, width: int, number: int) -> list[tuple[int, int]]:
    """``number`` upper left corners, in rows and columns spread evenly over the room there is."""
    room_y, room_x = height - HEIGHT, width - WIDTH
    columns = max(1, min(number, round(math.sqrt(number * (room_x + 1) / (room_y + 1)))))
    rows = math.ceil(number / columns)
    ys = np.linspace(0, room_y, rows).round().astype(int)
    xs = np.linspace(0, room_x, columns).round().astype(int)
    return [(int(y), int(x)) for y in ys for x in xs][:number]


def crops(paths: list[Path], number: int) -> Iterator[Any]:
    """The crops of each image as one block after the other; the first images give one more when it does not divide."""
    each, more = divmod(number, len(paths))
    for index, path in enumerate(paths):
        wanted = each + (index < more)
        if wanted == 0:
            return
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))
        for y, x in positions(pixels.shape[0], pixels.shape[1], wanted):
            yield pixels[y : y + HEIGHT, x : x + WIDTH]


def write(target: Path, paths: list[Path], number: int) -> None:
    """Streams the crops into the file, which gets its name once it is complete."""
    shape = (number, HEIGHT, WIDTH, 3)
    needed = math.prod(shape) + 4096
    free = shutil.disk_usage(target.parent).free
    if free < needed:
        sys.exit(
            f"demo: {target} needs {needed / 2**30:.1f} GiB, {free / 2**30:.1f} GiB are free; free some, or use --data"
        )
    partial = target.with_suffix(".writing")
    try:
        with partial.open("wb") as file:
            header = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            for done, crop in enumerate(crops(paths, number)):
                file.write(np.ascontiguousarray(crop).data)
                if done % 64 == 0 and sys.stderr.isatty():
                    print(f"\r  {done} of {number} crops", end="", file=sys.stderr, flush=True)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)


def main() -> None:
    folder, target, number = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    if number < 1:
        sys.exit("demo: at least one crop is needed")
    paths = images(folder)
    made_of = {"crops": number, "images": [[str(path), path.stat().st_size, path.stat().st_mtime_ns] for path in paths]}
    note = target.with_suffix(".json")
    if target.is_file() and note.is_file() and json.loads(note.read_text(encoding="utf-8")) == made_of:
        return
    print(f"cutting {number} crops of {WIDTH} x {HEIGHT} from {len(paths)} images in {folder}", flush=True)
    note.unlink(missing_ok=True)
    write(target, paths, number)
    note.write_text(json.dumps(made_of), encoding="utf-8")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        os._exit(130)
