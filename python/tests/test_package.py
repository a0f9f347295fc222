# SPDX-License-Identifier: Apache-2.0
"""The package's names, whichever of them a program asks for first."""

from __future__ import annotations

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
