# SPDX-License-Identifier: Apache-2.0
"""Text such as ``sqrt(u**2 + v**2)`` made into a lazy array.

The text is parsed with :mod:`ast` and walked over a table of allowed nodes; nothing is ever passed to ``eval``. There
are two steps, so that a mistake in the syntax is told before NumPy or the extension are loaded:

* :func:`parse` checks the syntax alone and raises :class:`Complaint`;
* :func:`build` binds the names to arrays and gives the array, raising ``penstock.errors.ExpressionError``.
"""

from __future__ import annotations

import ast
import math
import operator
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

MAX_LENGTH = 10_000
MAX_DEPTH = 150
_MAX_INT = 2**64 - 1

# What an expression may call besides the elementwise operations, whose names come from the table of the extension.
REDUCTIONS = (
    "sum", "prod", "min", "max", "mean", "var", "std", "any", "all", "argmin", "argmax", "count_nonzero", "histogram",
    "median", "quantile", "percentile", "nansum", "nanprod", "nanmin", "nanmax", "nanmean", "nanvar", "nanstd",
)  # fmt: skip
PRODUCTS = ("matmul", "dot", "vecdot", "tensordot")
VIEWS = (
    "astype", "reshape", "permute_dims", "broadcast_to", "flip", "roll", "concat", "stack", "expand_dims", "squeeze",
    "tril", "triu",
)  # fmt: skip
CREATION = (
    "arange", "linspace", "zeros", "ones", "full", "eye", "zeros_like", "ones_like", "full_like",
)  # fmt: skip
CONSTANTS: Mapping[str, Any] = {"pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan}
ATTRIBUTES = ("T", "mT")

_BINARY: Mapping[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.MatMult: ("@", operator.matmul),
    ast.Div: ("/", operator.truediv),
    ast.FloorDiv: ("//", operator.floordiv),
    ast.Mod: ("%", operator.mod),
    ast.Pow: ("**", operator.pow),
    ast.BitAnd: ("&", operator.and_),
    ast.BitOr: ("|", operator.or_),
    ast.BitXor: ("^", operator.xor),
    ast.LShift: ("<<", operator.lshift),
    ast.RShift: (">>", operator.rshift),
}
_COMPARE: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_UNARY: Mapping[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
    ast.Invert: operator.invert,
}

# Syntax that is no part of the language, with what to write instead.
_FORBIDDEN: Mapping[type[ast.AST], tuple[str, str]] = {
    ast.BoolOp: ("'and' and 'or' work on single truth values", "write & or |, with brackets: (a > 0) & (b > 0)"),
    ast.IfExp: ("'if' and 'else' work on single truth values", "write where(condition, x, y)"),
    ast.Lambda: ("functions cannot be defined here", "write the calculation itself"),
    ast.ListComp: ("loops are not part of the language", "write the calculation for whole arrays"),
    ast.SetComp: ("loops are not part of the language", "write the calculation for whole arrays"),
    ast.DictComp: ("loops are not part of the language", "write the calculation for whole arrays"),
    ast.GeneratorExp: ("loops are not part of the language", "write the calculation for whole arrays"),
    ast.NamedExpr: ("':=' is not part of the language", "write the value where it is used"),
    ast.Starred: ("'*' before an argument is not part of the language", "write the arguments one by one"),
    ast.JoinedStr: ("text is not part of the language", "write a number, a name or a dtype such as float32"),
    ast.Dict: ("dictionaries are not part of the language", "write keyword arguments: sum(a, axis=0)"),
    ast.Set: ("sets are not part of the language", "write a tuple: (1, 2)"),
    ast.Await: ("'await' is not part of the language", "remove it"),
    ast.Yield: ("'yield' is not part of the language", "remove it"),
    ast.YieldFrom: ("'yield' is not part of the language", "remove it"),
    ast.Not: ("'not' works on single truth values", "write ~(a > 0) or logical_not(a)"),
    ast.In: ("'in' is not part of the language", "write (a == 1) | (a == 2)"),
    ast.NotIn: ("'not in' is not part of the language", "write (a != 1) & (a != 2)"),
    ast.Is: ("'is' is not part of the language", "write =="),
    ast.IsNot: ("'is not' is not part of the language", "write !="),
}
_ALLOWED = (
    ast.Expression, ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call, ast.Name, ast.Constant, ast.Attribute, ast.Subscript,
    ast.Slice, ast.Tuple, ast.List, ast.keyword, ast.expr_context, *_BINARY, *_COMPARE, *_UNARY,
)  # fmt: skip

# How the extension tells a call that does not fit: "sin(x, *, out=None): too many positional arguments".
_SIGNATURE = re.compile(r"^(?P<name>\w+)\((?P<arguments>.*)\): (?P<wrong>.*)$")


class Complaint(ValueError):
    """What is wrong in an expression, where, and what to write instead."""

    def __init__(self, text: str, begin: int, end: int, reason: str, fix: str = "") -> None:
        super().__init__(reason)
        self.text, self.begin, self.end, self.reason, self.fix = text, begin, end, reason, fix

    def __str__(self) -> str:
        lines = [self.reason, *place(self.text, self.begin, self.end)]
        if self.fix:
            lines.append(f"  {self.fix}")
        return "\n".join(lines)


@dataclass(frozen=True)
class Expression:
    """A checked expression. ``names`` are the names it reads, in order of appearance; functions are not among them."""

    text: str
    tree: ast.expr
    names: tuple[str, ...]


def place(text: str, begin: int, end: int, width: int = 100) -> list[str]:
    """Two lines: the text around ``[begin, end)`` and carets under it."""
    left = max(0, min(begin - width // 2, len(text) - width))
    shown = text[left : left + width]
    head = "..." if left > 0 else ""
    tail = "..." if left + width < len(text) else ""
    carets = max(1, min(end, left + width) - begin)
    return [f"    {head}{shown}{tail}", " " * (4 + len(head) + begin - left) + "^" * carets]


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name closest to ``name``; empty when none is close."""
    import difflib

    candidates = sorted(known)
    found = difflib.get_close_matches(name, candidates, n=1, cutoff=0.6)
    if not found:
        found = [each for each in candidates if each.lower() == name.lower()]
    return found[0] if found else ""


def parse(text: str) -> Expression:
    """Checks the syntax and the limits of ``text``; raises :class:`Complaint`."""
    text = "".join(" " if c.isspace() else c for c in text).strip()
    if not text:
        raise Complaint(text, 0, 1, "the expression is empty", "write a calculation such as 'mean(a, axis=0)'")
    if len(text) > MAX_LENGTH:
        reason = f"the expression has {len(text):,} characters; at most {MAX_LENGTH:,} are read"
        raise Complaint(text, MAX_LENGTH, MAX_LENGTH + 1, reason, "split it: save a part with -o and name that file")
    odd = next((i for i, c in enumerate(text) if not c.isprintable()), None)
    if odd is not None:
        text = "".join(c if c.isprintable() else "?" for c in text)
        raise Complaint(text, odd, odd + 1, "the expression holds a control character", "remove it")
    tree = _syntax_tree(text)
    _check(text, tree)
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    read = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in called]
    read.sort(key=lambda node: node.col_offset)
    return Expression(text, tree, tuple(dict.fromkeys(node.id for node in read)))


def unknown_name(expression: Expression, name: str, given: Iterable[str]) -> Complaint:
    """The complaint about ``name``, which the expression reads and which is not among the names ``given``."""
    nodes = [node for node in ast.walk(expression.tree) if isinstance(node, ast.Name) and node.id == name]
    first = min(nodes, key=lambda node: node.col_offset)
    return _unknown_name(expression.text, first, list(given), ())


def build(expression: str | Expression, arrays: Mapping[str, Any]) -> Any:
    """The lazy array (of ``histogram``: the tuple of two) that the expression means over ``arrays``.

    A name in ``arrays`` wins over a constant or a dtype of the same name. Raises ``errors.ExpressionError``;
    complaints of the operations themselves (shapes, dtypes, axes) pass through, the place in the expression added as
    a note.
    """
    import penstock as ps

    try:
        parsed = parse(expression) if isinstance(expression, str) else expression
        value = _Builder(parsed.text, arrays, function_table()).value(parsed.tree)
        if value is None or _is_dtype(value):
            raise Complaint(parsed.text, 0, len(parsed.text), "the expression is no array or number", "name an array")
    except Complaint as complaint:
        raise ps.errors.ExpressionError(str(complaint)) from None
    return ps.asarray(value) if isinstance(value, (bool, int, float, complex)) else value


def function_table() -> dict[str, Callable[..., Any]]:
    """Every function an expression may call: the table of elementwise operations, and the lists of this module."""
    import penstock as ps

    names = [*elementwise_names(), *REDUCTIONS, *PRODUCTS, *VIEWS, *CREATION]
    return {name: getattr(ps, name) for name in names if hasattr(ps, name)}


def elementwise_names() -> list[str]:
    """The rows of the extension's table of elementwise operations."""
    from penstock import _core

    return [row[0] for row in _core.elementwise_rows()]


def _syntax_tree(text: str) -> ast.expr:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # SyntaxWarning: what it warns of is refused below
            return ast.parse(text, mode="eval").body
    except SyntaxError as error:
        begin = max(0, min((error.offset or 1) - 1, len(text)))
        end = (error.end_offset or 0) - 1
        reason = "syntax error: " + (error.msg or "invalid syntax").split(". Perhaps")[0]
        fix = "write == to compare" if "==" in (error.msg or "") else ""
        raise Complaint(text, begin, max(end, begin + 1), reason, fix) from None
    except (MemoryError, RecursionError):
        raise _too_deep(text) from None


def _too_deep(text: str) -> Complaint:
    reason = f"the expression is nested deeper than {MAX_DEPTH} levels"
    return Complaint(text, 0, 1, reason, "split it: save a part with -o and name that file")


def _check(text: str, tree: ast.expr) -> None:
    """Walks without recursion, so that the depth limit holds before anything recursive starts."""
    stack: list[tuple[ast.AST, ast.AST, int]] = [(tree, tree, 1)]
    while stack:
        node, owner, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise _too_deep(text)
        # Operators have no place of their own; the expression that holds them has.
        where = node if hasattr(node, "col_offset") else owner
        _check_node(text, node, where)
        stack.extend((child, where, depth + 1) for child in ast.iter_child_nodes(node))


def _check_node(text: str, node: ast.AST, where: ast.AST) -> None:
    if type(node) in _FORBIDDEN:
        reason, fix = _FORBIDDEN[type(node)]
        raise _at(text, where, reason, fix)
    if not isinstance(node, _ALLOWED):
        raise _at(text, where, f"{type(node).__name__} is not part of the language")
    if isinstance(node, ast.Compare) and len(node.ops) > 1:
        raise _at(text, node, "chained comparisons have no meaning for arrays", "write (a < b) & (b < c)")
    if isinstance(node, ast.Attribute) and node.attr not in ATTRIBUTES:
        raise _attribute_complaint(text, node)
    if isinstance(node, ast.Call) and not isinstance(node.func, (ast.Name, ast.Attribute)):
        raise _at(text, node.func, "only functions can be called", "write a function's name before the bracket")
    if isinstance(node, ast.keyword) and node.arg is None:
        raise _at(text, node, "'**' before an argument is not part of the language", "write name=value")
    if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)):
        fix = f"write {node.value} without quotes" if isinstance(node.value, str) and node.value.isidentifier() else ""
        raise _at(text, node, "text is not part of the language", fix or "write a number, a name or a dtype")


def _attribute_complaint(text: str, node: ast.Attribute) -> Complaint:
    reason = f"'.{node.attr}' is not available in an expression (only .T and .mT are)"
    known = (*REDUCTIONS, *PRODUCTS, *VIEWS)
    name = node.attr if node.attr in known else nearest(node.attr, known)
    subject = node.value.id if isinstance(node.value, ast.Name) else "..."
    fix = f"write {name}({subject}, ...)" if name and not node.attr.startswith("_") else "name a function instead"
    begin, end = _span(text, node)
    return Complaint(text, end - len(node.attr) - 1 if end - begin > len(node.attr) else begin, end, reason, fix)


def _span(text: str, node: ast.AST) -> tuple[int, int]:
    """Character offsets of a node; :mod:`ast` counts bytes of UTF-8."""
    raw = text.encode()
    begin = len(raw[: getattr(node, "col_offset", 0)].decode(errors="ignore"))
    end_offset = getattr(node, "end_col_offset", None)
    end = len(text) if end_offset is None else len(raw[:end_offset].decode(errors="ignore"))
    return begin, max(end, begin + 1)


def _at(text: str, node: ast.AST, reason: str, fix: str = "") -> Complaint:
    return Complaint(text, *_span(text, node), reason, fix)


def _unknown_name(text: str, node: ast.Name, given: list[str], functions: Iterable[str]) -> Complaint:
    close = nearest(node.id, [*given, *CONSTANTS, *functions])
    fix = f"did you mean {close}? " if close else ""
    fix += f"names given: {', '.join(given) or 'none'}; add {node.id}=FILE to name another"
    return _at(text, node, f"unknown name '{node.id}'", fix)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, (bool, int, float, complex))


def _is_dtype(value: Any) -> bool:
    import penstock as ps

    return isinstance(value, type(ps.float32))


def _reason_and_fix(error: Exception) -> tuple[str, str]:
    """An error of Python's own in the words of an expression; of a call that does not fit, the call that does."""
    lines = str(error).splitlines() or [type(error).__name__]
    match = _SIGNATURE.match(lines[0]) if type(error) is TypeError else None
    if match is None:
        return lines[0], ""
    shown = [each for each in match["arguments"].split(", ") if each not in ("/", "out=None")]
    if shown and shown[-1] == "*":
        shown.pop()
    return f"{match['name']}(): {match['wrong']}", f"write {match['name']}({', '.join(shown)})"


class _Builder:
    """Walks a checked tree; constants are folded here, everything else becomes nodes of the engine."""

    def __init__(self, text: str, arrays: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]) -> None:
        self._text = text
        self._arrays = arrays
        self._functions = functions

    def value(self, node: ast.AST) -> Any:
        visit: Callable[[Any], Any] = getattr(self, "_visit_" + type(node).__name__.lower())
        return visit(node)

    def _complain(self, node: ast.AST, reason: str, fix: str = "") -> Complaint:
        return _at(self._text, node, reason, fix)

    def _visit_constant(self, node: ast.Constant) -> Any:
        return self._constant(node, node.value)

    def _constant(self, node: ast.AST, value: Any) -> Any:
        if isinstance(value, int) and abs(value) > _MAX_INT:
            raise self._complain(node, "the constant does not fit 64 bits", "write it as a float, such as 2.0**80")
        return value

    def _visit_name(self, node: ast.Name) -> Any:
        import penstock as ps

        if node.id in self._arrays:
            return self._arrays[node.id]
        if node.id in CONSTANTS:
            return CONSTANTS[node.id]
        candidate = getattr(ps, node.id, None)
        if candidate is not None and _is_dtype(candidate):
            return candidate
        if node.id in self._functions:
            raise self._complain(node, f"{node.id} is a function", f"call it: {node.id}(...)")
        raise _unknown_name(self._text, node, list(self._arrays), self._functions)

    def _visit_tuple(self, node: ast.Tuple | ast.List) -> tuple[Any, ...]:
        return tuple(self.value(each) for each in node.elts)

    _visit_list = _visit_tuple

    def _visit_attribute(self, node: ast.Attribute) -> Any:
        subject = self.value(node.value)
        if _is_scalar(subject) or not hasattr(subject, node.attr):
            raise self._complain(node, f"only an array has .{node.attr}", "name an array before the dot")
        return self._guarded(node, lambda: getattr(subject, node.attr))

    def _visit_unaryop(self, node: ast.UnaryOp) -> Any:
        operand = self._operand(node.operand)
        act = _UNARY[type(node.op)]
        return self._guarded(node, lambda: self._constant(node, act(operand)))

    def _visit_binop(self, node: ast.BinOp) -> Any:
        left, right = self._operand(node.left), self._operand(node.right)
        symbol, act = _BINARY[type(node.op)]
        if _is_scalar(left) and _is_scalar(right):
            return self._fold(node, symbol, act, left, right)
        return self._guarded(node, lambda: act(left, right))

    def _visit_compare(self, node: ast.Compare) -> Any:
        left, right = self._operand(node.left), self._operand(node.comparators[0])
        act = _COMPARE[type(node.ops[0])]
        return self._guarded(node, lambda: act(left, right))

    def _operand(self, node: ast.expr) -> Any:
        value = self.value(node)
        if isinstance(value, tuple) or value is None or _is_dtype(value):
            what = "a tuple" if isinstance(value, tuple) else "None" if value is None else "a dtype"
            raise self._complain(node, f"an operator needs an array or a number, not {what}")
        return value

    def _fold(self, node: ast.BinOp, symbol: str, act: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
        ints = isinstance(left, int) and isinstance(right, int)
        huge_power = symbol == "**" and ints and abs(left) > 1 and right > 64
        if huge_power or (symbol == "<<" and ints and right > 64):
            raise self._complain(node, "the constant does not fit 64 bits", "write it as a float, such as 2.0**80")
        result = self._guarded(node, lambda: act(left, right))
        if isinstance(result, complex) and not isinstance(left, complex) and not isinstance(right, complex):
            raise self._complain(node, f"{left} ** {right} has no real value", "write the base as a complex number")
        return self._constant(node, result)

    def _visit_subscript(self, node: ast.Subscript) -> Any:
        subject = self.value(node.value)
        if _is_scalar(subject):
            raise self._complain(node, "a number has no elements", "name an array before the bracket")
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        index = tuple(self._index(each) for each in parts)
        if isinstance(subject, tuple):
            if len(index) != 1 or not isinstance(index[0], int) or not -len(subject) <= index[0] < len(subject):
                raise self._complain(node, f"there are {len(subject)} results", "index them with [0] or [1]")
            return subject[index[0]]
        return self._guarded(node, lambda: subject[index])

    def _index(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Slice):
            return slice(*(None if each is None else self._bound(each) for each in (node.lower, node.upper, node.step)))
        if isinstance(node, ast.Constant) and (node.value is None or node.value is Ellipsis):
            return node.value
        return self._bound(node)

    def _bound(self, node: ast.expr) -> int:
        value = self.value(node)
        if isinstance(value, bool) or not isinstance(value, int):
            fix = "write constant positions and slices: a[0, 10:20]; where(mask, a, 0) selects by a mask"
            raise self._complain(node, "an index is a constant integer, a slice, ... or None", fix)
        return value

    def _visit_call(self, node: ast.Call) -> Any:
        if not isinstance(node.func, ast.Name):
            raise self._complain(node.func, "only functions can be called", "write a name before the bracket")
        name = node.func.id
        function = self._functions.get(name)
        if function is None:
            raise self._unknown_function(node.func)
        positional = [self.value(each) for each in node.args]
        named = {each.arg: self.value(each.value) for each in node.keywords if each.arg is not None}
        if positional and not named and all(_is_scalar(each) for each in positional) and name not in CREATION:
            return self._folded_call(node, function, positional)
        return self._guarded(node, lambda: function(*positional, **named))

    def _folded_call(self, node: ast.Call, function: Callable[..., Any], values: list[Any]) -> Any:
        """A function of constants is a constant again, so that it promotes as weakly as the number it stands for."""
        import penstock as ps

        result = self._guarded(node, lambda: function(*[ps.asarray(each) for each in values]))
        return result.tolist() if getattr(result, "ndim", None) == 0 else result

    def _unknown_function(self, node: ast.Name) -> Complaint:
        if node.id in self._arrays:
            return self._complain(node, f"{node.id} is an array and cannot be called", "write a multiplication with *")
        close = nearest(node.id, self._functions)
        fix = f"did you mean {close}?" if close else "penstock eval --functions lists every function"
        return self._complain(node, f"unknown function '{node.id}'", fix)

    def _guarded(self, node: ast.AST, act: Callable[[], Any]) -> Any:
        """Runs ``act``; an error keeps its class and gains the place, an error of Python's own becomes a complaint."""
        import penstock as ps

        try:
            return act()
        except ps.errors.PenstockError as error:
            if not getattr(error, "__notes__", None):
                error.add_note("\n".join(["in the expression", *place(self._text, *_span(self._text, node))]))
            raise
        except Complaint:
            raise
        except (ArithmeticError, TypeError, ValueError) as error:
            raise self._complain(node, *_reason_and_fix(error)) from None
