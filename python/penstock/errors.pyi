# SPDX-License-Identifier: Apache-2.0
# Made by tools/stubs.py from the extension; not to be edited.
# ruff: noqa
# fmt: off

class PenstockError(Exception):
    code: str
    exit_status: int

class ShapeError(PenstockError, ValueError):
    code: str
    exit_status: int

class DTypeError(PenstockError, TypeError):
    code: str
    exit_status: int

class AxisError(PenstockError, ValueError, IndexError):
    code: str
    exit_status: int

class OutOfRangeError(PenstockError, IndexError):
    code: str
    exit_status: int

class ExpressionError(PenstockError, ValueError):
    code: str
    exit_status: int

class ArgumentError(PenstockError, ValueError):
    code: str
    exit_status: int

class FormatError(PenstockError, ValueError):
    code: str
    exit_status: int

class CorruptDataError(PenstockError, ValueError):
    code: str
    exit_status: int

class TruncatedFileError(PenstockError, OSError):
    code: str
    exit_status: int

class FileChangedError(PenstockError, OSError):
    code: str
    exit_status: int

class NoSpaceError(PenstockError, OSError):
    code: str
    exit_status: int

class BudgetError(PenstockError, MemoryError):
    code: str
    exit_status: int

class UnsafePathError(PenstockError, ValueError):
    code: str
    exit_status: int

class FileError(PenstockError, OSError):
    code: str
    exit_status: int

class Cancelled(PenstockError, RuntimeError):
    code: str
    exit_status: int

class InternalError(PenstockError, RuntimeError):
    code: str
    exit_status: int

class MissingFileError(FileError, FileNotFoundError):
    code: str
    exit_status: int
