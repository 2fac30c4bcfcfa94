"""`@frozen`: a dataclass with slots that nothing is assigned to, at a third of the price of the standard one's.

The standard library writes and compiles six methods for each class: for the sixty nouns that a build imports, that
is more time than it takes to make a page. Here the constructor is compiled when the first object is made, and many
a build makes none of a class; the other methods are shared. That nothing is assigned to a field is held by mypy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """Like `@dataclass(frozen=True, slots=True)`, but assignments to fields are not refused at run time."""
    made = dataclass(slots=True, init=False, repr=False, eq=False)(cls)

    def first(self: Any, *values: Any, **named: Any) -> None:
        constructor = _constructor(made)
        type.__setattr__(made, "__init__", constructor)
        constructor(self, *values, **named)

    compared = [each.name for each in fields(made) if each.compare]  # type: ignore[arg-type]
    made._compared = staticmethod(attrgetter(*compared))  # type: ignore[attr-defined]
    for name, method in {**_SHARED, "__init__": first}.items():
        setattr(made, name, method)
    return made


def _constructor(made: type) -> Callable[..., None]:
    """The constructor that `dataclass` would write for the fields of a class."""
    known: dict[str, Any] = {"__missing": MISSING}
    parameters, lines = ["self"], ["pass"]
    for each in fields(made):
        name = value = each.name
        parameter = name
        if each.default is not MISSING:
            known[f"__of_{name}"] = each.default
            parameter = f"{name}=__of_{name}"
        elif each.default_factory is not MISSING:
            known[f"__of_{name}"] = each.default_factory
            parameter = f"{name}=__missing"
            value = f"__of_{name}() if {name} is __missing else {name}"
        parameters.append(parameter)
        lines.append(f"self.{name} = {value}")
    exec(f"def __init__({', '.join(parameters)}):\n " + "\n ".join(lines), known)
    constructor: Callable[..., None] = known["__init__"]
    return constructor


def _equals(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    return self._compared(self) == self._compared(other)


def _hash(self: Any) -> int:
    return hash(self._compared(self))


def _repr(self: Any) -> str:
    shown = (f"{each.name}={getattr(self, each.name)!r}" for each in fields(self) if each.repr)
    return f"{self.__class__.__qualname__}({', '.join(shown)})"


_SHARED: dict[str, Callable[..., Any]] = {"__eq__": _equals, "__hash__": _hash, "__repr__": _repr}
