"""What is to happen to a module as soon as a post imports it."""

from __future__ import annotations

import importlib.abc
import importlib.util
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any


def on_import(name: str, prepare: Callable[[ModuleType], None]) -> None:
    """Call `prepare(module)` now if the module is there, else as soon as it has been imported."""
    module = sys.modules.get(name)
    if module is not None:
        prepare(module)
    else:
        sys.meta_path.insert(0, _ImportHook(name, prepare))


class _ImportHook(importlib.abc.MetaPathFinder):
    """Finds one module as the other finders do, and prepares it behind its import."""

    def __init__(self, name: str, prepare: Callable[[ModuleType], None]) -> None:
        self.name = name
        self.prepare = prepare

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        if fullname != self.name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                load(module)
                self.prepare(module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec
