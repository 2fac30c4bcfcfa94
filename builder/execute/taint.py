"""Taint: which cells would show a stale value after a cell has failed?

A failed or unrun cell *taints* the names that it should have bound. A later cell that reads one of them,
itself or through a function or a class of the post, is not run (law 6 of the splice). This module says
what a piece of code binds and reads; it runs in the worker, on the standard library alone.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from types import CodeType, FunctionType
from typing import Any

_NAMING = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef),
    *(ast.ExceptHandler, ast.MatchAs, ast.MatchStar),
)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_BINDING_LINE = re.compile(r"(?:async +)?(?:def|class) +(\w+)|([\w, ]+?)(?::[^=]+)?=(?!=)")


def bound(statement: ast.stmt) -> set[str]:
    """Return the names that `statement` may bind; `x.a = 1` and `x[0] = 1` bind `x`."""
    names: set[str] = set()
    for node in _own_scope(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            names.add(node.id)
        elif isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            names.add(root(node))
        elif isinstance(node, _NAMING):
            names.add(node.name or "")
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= imported(node)
    return names - {""}


def imported(statement: ast.Import | ast.ImportFrom) -> set[str]:
    """Return the names that an import statement binds."""
    return {alias.asname or alias.name.split(".")[0] for alias in statement.names}


def bound_by_text(source: str) -> set[str]:
    """Return the names that code which does not parse seems to bind: its `x = …`, `def` and `class` lines."""
    names: set[str] = set()
    for line in source.split("\n"):
        found = _BINDING_LINE.match(line.strip())
        if found:
            names |= {name.strip() for name in (found[1] or found[2]).split(",")}
    return {name for name in names if name.isidentifier()}


def reads(tree: ast.Module) -> set[str]:
    """Return the names that a cell reads from what ran before it."""
    names: set[str] = set()
    _read_block(tree.body, set(), names)
    deferred = {
        node.name: _function_reads(node)
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            deferred[node.name] = {
                name
                for method in node.body
                if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef)
                for name in _function_reads(method)
            }
    # What a function of this very cell reads counts as soon as the cell uses the function.
    used = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    sure = _surely_bound(tree.body)
    for name in used & deferred.keys():
        names |= deferred[name] - sure
    return names


def reach(names: Iterable[str], namespace: Mapping[str, Any]) -> set[str]:
    """Return `names` and every global name that functions and classes behind them read, transitively."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        if name in namespace:
            waiting += _globals_of(namespace[name], namespace)
    return found


def rebound(tree: ast.Module) -> set[str]:
    """Return the names that a cell surely binds anew when it runs to its end: they are clean again."""
    return _surely_bound(tree.body)


def _own_scope(node: ast.AST) -> Iterator[ast.AST]:
    """Walk a statement, without the bodies of functions, classes and lambdas in it."""
    yield node
    if isinstance(node, (*_SCOPES, ast.ClassDef)):
        return
    for child in ast.iter_child_nodes(node):
        yield from _own_scope(child)


def root(node: ast.expr) -> str:
    """Return the name that an expression of attributes and indices begins with, or ""."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _targets(node: ast.AST) -> set[str]:
    return {n.id for n in _own_scope(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def _surely_bound(block: list[ast.stmt]) -> set[str]:
    names: set[str] = set()
    for statement in block:
        if isinstance(statement, ast.If):
            names |= _surely_bound(statement.body) & _surely_bound(statement.orelse)
        elif isinstance(statement, ast.With | ast.AsyncWith):
            for entry in statement.items:
                names |= _targets(entry)
            names |= _surely_bound(statement.body)
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(statement.name)
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            names |= imported(statement)
        elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.Expr):
            names |= _targets(statement)
    return names


def _read_block(block: list[ast.stmt], have: set[str], names: set[str]) -> None:
    """Add to `names` what the statements read that is not in `have`; `have` grows as they bind."""
    for statement in block:
        if isinstance(statement, ast.If | ast.While):
            names |= _expression_reads(statement.test) - have
            _read_block(statement.body, set(have), names)
            _read_block(statement.orelse, set(have), names)
        elif isinstance(statement, ast.For | ast.AsyncFor):
            names |= _expression_reads(statement.iter) - have
            _read_block(statement.body, have | _targets(statement.target), names)
            _read_block(statement.orelse, set(have), names)
        elif isinstance(statement, ast.With | ast.AsyncWith):
            inside = set(have)
            for entry in statement.items:
                names |= _expression_reads(entry.context_expr) - inside
                inside |= _targets(entry)
            _read_block(statement.body, inside, names)
        elif isinstance(statement, ast.Try):
            _read_block(statement.body, set(have), names)
            for handler in statement.handlers:
                names |= (_expression_reads(handler.type) if handler.type else set()) - have
                _read_block(handler.body, have | {handler.name or ""}, names)
            _read_block(statement.orelse, have | _surely_bound(statement.body), names)
            _read_block(statement.finalbody, set(have), names)
        else:
            names |= _expression_reads(statement) - have
        have |= _surely_bound([statement])


def _expression_reads(node: ast.AST) -> set[str]:
    """Names that are read when this statement or expression is executed, not when it is called later."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        now = [*node.decorator_list, *node.args.defaults, *(d for d in node.args.kw_defaults if d)]
        return set().union(*map(_expression_reads, now))
    if isinstance(node, ast.ClassDef):
        names = set().union(*map(_expression_reads, [*node.decorator_list, *node.bases, *node.keywords]))
        _read_block(node.body, set(), names)
        return names
    if isinstance(node, ast.Lambda):
        return _function_reads(node)
    if isinstance(node, ast.AugAssign):
        return _expression_reads(node.value) | ({root(node.target)} - {""})
    if isinstance(node, ast.Name):
        return {node.id} if isinstance(node.ctx, ast.Load) else set()
    comprehension = getattr(node, "generators", None)
    inner = set().union(*map(_expression_reads, ast.iter_child_nodes(node)))
    if comprehension:
        inner -= set().union(*(_targets(part.target) for part in comprehension))
    return inner


def _function_reads(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> set[str]:
    """Global names that the body of a function reads: names loaded that are not its own."""
    body: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
    arguments = {argument.arg for argument in ast.walk(node.args) if isinstance(argument, ast.arg)}
    local = set(arguments)
    loaded: set[str] = set()
    declared: set[str] = set()
    for statement in body:
        for part in ast.walk(statement):
            if isinstance(part, ast.Name):
                (loaded if isinstance(part.ctx, ast.Load) else local).add(part.id)
            elif isinstance(part, ast.arg):
                local.add(part.arg)
            elif isinstance(part, ast.Global):
                declared |= set(part.names)
            elif isinstance(part, ast.Import | ast.ImportFrom):
                local |= imported(part)
            elif isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                local.add(part.name)
    return (loaded - local) | (loaded & declared)


def _globals_of(value: object, namespace: Mapping[str, Any]) -> set[str]:
    """Names of `namespace` that the code behind a value of the post reads."""
    names: set[str] = set()
    value = getattr(value, "__func__", value)
    if isinstance(value, FunctionType):
        names |= code_names(value.__code__) if value.__globals__ is namespace else set()
        wrapped = getattr(value, "__wrapped__", None)
        if wrapped is not None:
            names |= _globals_of(wrapped, namespace)
        for cell in value.__closure__ or ():
            try:
                inside = cell.cell_contents
            except ValueError:  # not filled yet
                continue
            if isinstance(inside, FunctionType) and inside is not value:
                names |= code_names(inside.__code__) if inside.__globals__ is namespace else set()
        return names
    kind = value if isinstance(value, type) else type(value)
    for base in kind.__mro__:
        if base.__module__ == "__main__":
            for member in vars(base).values():
                member = getattr(member, "__func__", getattr(member, "fget", member))
                if isinstance(member, FunctionType) and member.__globals__ is namespace:
                    names |= code_names(member.__code__)
    return names


def code_names(code: CodeType) -> set[str]:
    """Return the names of globals and attributes that compiled code, and the functions in it, use."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= code_names(constant)
    return names
