# SPDX-License-Identifier: Apache-2.0
"""The package's names, whichever of them a program asks for first."""

from __future__ import annotations

import struct
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "statements",
    [
        "import penstock.errors; assert issubclass(penstock.errors.ShapeError, ValueError)",
        "from penstock.errors import ShapeError; assert ShapeError.code",
        "from penstock import errors; assert errors.ShapeError.exit_status",
        "import penstock.errors, penstock; penstock.zeros(3).sum()",
        "import penstock; penstock.errors.ShapeError; penstock.zeros(3).sum()",
        "import penstock; penstock.expression.build('arange(3)', {}); penstock.zeros(3).sum()",
        "import penstock; assert not hasattr(penstock, 'zeroes') and not hasattr(penstock, '__path2__')",
        "from penstock import *; zeros(3); errors.ShapeError",
        "import penstock; assert 'zeros' in dir(penstock) and penstock.__version__",
        "import penstock._core; penstock._core.full(3, 0)",
        "import penstock.expression; penstock.expression.build('arange(3) * 2', {})",
        "import penstock.disk, penstock.doctor, penstock.progress, penstock.cli; penstock.pi",
        "import penstock.cli, sys; assert 'numpy' not in sys.modules and 'penstock._core' not in sys.modules",
    ],
)
def test_any_first_statement_works(statements: str) -> None:
    result = subprocess.run([sys.executable, "-c", statements], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""


def test_little_thread_storage_is_taken_from_other_libraries() -> None:
    """It comes out of 1,664 bytes that all libraries loaded after the start share, OpenMP's among them."""
    from penstock import _core

    with open(_core.__file__, "rb") as file:
        elf = file.read(1 << 16)
    offset, size, count = (struct.unpack_from(form, elf, at)[0] for form, at in (("<Q", 32), ("<H", 54), ("<H", 56)))
    headers = [struct.unpack_from("<IIQQQQQQ", elf, offset + i * size) for i in range(count)]
    thread_local = 7
    assert sum(header[6] for header in headers if header[0] == thread_local) <= 256
