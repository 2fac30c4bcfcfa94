"""What a statement that has not run, or not to its end, would have changed besides the names that it binds.

`optimizer.step()` changes the parameters that a model holds too, and `loss.backward()` the gradients of the
tensors that the loss came from. It runs in the worker, looks at live objects, and imports nothing for it.
"""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterable, Iterator, Mapping
from types import FunctionType, ModuleType
from typing import Any

from builder.execute.taint import code_names, reach, reads, root

# Methods that change their object, besides those whose name ends in `_` as PyTorch's do.
_CHANGING = frozenset(
    (
        *("add", "append", "clear", "extend", "insert", "pop", "popitem", "remove", "reverse", "setdefault"),
        *("sort", "update", "write"),
        *("backward", "eval", "fit", "load_state_dict", "step", "train", "zero_grad"),
    )
)
_DEPTH = 4  # of lists and dictionaries that are looked into
_MOST = 10_000  # members of one that are


def changed(
    statements: Iterable[ast.stmt], failed: ast.stmt | None, namespace: Mapping[str, Any]
) -> set[str]:
    """Return the names of `namespace` whose objects `statements` would have changed in place.

    `failed` is that one of them which was begun: where it is but one expression, only a method that is known
    to change its object counts, since what raised may have done so before it changed anything.
    """
    touched: set[str] = set()
    trees: list[ast.stmt] = []
    passes_back = False
    for statement in statements:
        trees.append(statement)
        simple = statement is failed and isinstance(statement, ast.Expr)
        for call in (node for node in ast.walk(statement) if isinstance(node, ast.Call)):
            if isinstance(call.func, ast.Attribute):
                if _is_statement(call, statement) and (_changes(call.func.attr) or not simple):
                    touched.add(root(call.func))
                passes_back |= call.func.attr == "backward"
            else:
                methods = _methods_of(call.func, namespace)
                if any(map(_changes, methods)):
                    given = (*call.args, *(keyword.value for keyword in call.keywords))
                    touched |= {root(value) for value in given}
                passes_back |= "backward" in methods
    objects = {name: namespace[name] for name in touched if name in namespace}
    objects = {name: value for name, value in objects.items() if not isinstance(value, ModuleType)}
    held = set().union(*map(_tensors, objects.values()))
    if passes_back:
        wanted = reach(reads(ast.Module(trees, [])), namespace) & namespace.keys()
        held |= {key for name in wanted for key in _leaves(namespace[name])}
    names = set(objects)
    if held:
        names |= {name for name, value in namespace.items() if held & _tensors(value)}
    return names


def _is_statement(call: ast.Call, statement: ast.stmt) -> bool:
    """Does the call stand for itself, its value unused?"""
    return any(isinstance(node, ast.Expr) and node.value is call for node in ast.walk(statement))


def _changes(method: str) -> bool:
    return method in _CHANGING or (method.endswith("_") and not method.endswith("__"))


def _methods_of(function: ast.expr, namespace: Mapping[str, Any]) -> set[str]:
    """The names that the code of a function of the post uses, itself or through others of the post."""
    if not isinstance(function, ast.Name):
        return set()
    functions = (namespace.get(name) for name in reach({function.id}, namespace))
    return {
        name
        for found in functions
        if isinstance(found, FunctionType) and found.__globals__ is namespace
        for name in code_names(found.__code__)
    }


# --- live objects of torch, known by what they have, since a post need not use it --------------


def _tensors(value: object) -> set[int]:
    """What of the memory of tensors hangs on a value: a model, an optimizer, a list of tensors."""
    return {_memory(tensor) for tensor in _walk(value, _DEPTH)}


def _leaves(value: object) -> set[int]:
    """The memory of those tensors behind a value, and behind its graph, that get a gradient."""
    found: set[int] = set()
    for tensor in _walk(value, _DEPTH):
        if tensor.is_leaf and tensor.requires_grad:
            found.add(_memory(tensor))
        found |= _graph_leaves(tensor.grad_fn)
    return found


def _graph_leaves(node: Any) -> set[int]:
    found: set[int] = set()
    seen: set[Any] = set()
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):  # AccumulateGrad
            found.add(_memory(node.variable))
        waiting += [following for following, _ in node.next_functions]
    return found


def _memory(tensor: Any) -> int:
    try:
        return tensor.untyped_storage().data_ptr() or id(tensor)
    except Exception:  # a tensor without memory of its own: sparse, meta, fake
        return id(tensor)


def _walk(value: object, depth: int) -> Iterator[Any]:
    with contextlib.suppress(Exception):  # the classes of a post may do as they like
        kinds = {f"{base.__module__}.{base.__qualname__}" for base in type(value).__mro__}
        if "torch.Tensor" in kinds or "torch._C.TensorBase" in kinds:
            yield value
        elif "torch.nn.modules.module.Module" in kinds:
            yield from value.parameters()  # type: ignore[attr-defined]
            yield from value.buffers()  # type: ignore[attr-defined]
        elif "torch.optim.optimizer.Optimizer" in kinds:
            for group in value.param_groups:  # type: ignore[attr-defined]
                yield from group["params"]
        elif depth and isinstance(value, dict | list | tuple | set):
            members = list(value.values() if isinstance(value, dict) else value)
            for member in members[:_MOST]:
                yield from _walk(member, depth - 1)
