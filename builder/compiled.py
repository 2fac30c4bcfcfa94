"""Templates as Jinja2 compiles them: what is quicker here, and where they are kept.

Nothing in a compiled template depends on a site (in `{{ "/" | href }}`, the filter is asked for each page). So
those of the theme are kept where Python keeps the modules of this program, for all sites, and a site's own in
its `.fencepost`; all of them there, where the folder of this program cannot be written.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from collections.abc import Callable, MutableMapping
from importlib.util import cache_from_source
from pathlib import Path
from types import MethodType
from typing import Any

import jinja2
from jinja2.bccache import Bucket
from jinja2.compiler import CodeGenerator, Frame
from jinja2.utils import internalcode

from builder.assets import theme_folder
from builder.model import Config
from builder.whole import write_whole


class _Generator(CodeGenerator):
    """Lets compiled templates show text by our own `escaped`, where Jinja2 would make an object for each."""

    def _output_child_pre(self, node: jinja2.nodes.Expr, frame: Frame, finalize: Any) -> None:
        if frame.eval_ctx.autoescape and not frame.eval_ctx.volatile:
            self.write("environment.escaped(")
        else:
            super()._output_child_pre(node, frame, finalize)


class _Context(jinja2.runtime.Context):
    """Calls a plain method at once: Jinja2 looks first for what else a thing that is called may want."""

    @internalcode
    def call(__self, __called: Callable[..., Any], *values: Any, **named: Any) -> Any:
        if type(__called) is not MethodType or hasattr(__called, "jinja_pass_arg"):
            return super().call(__called, *values, **named)
        named.pop("_block_vars", None)
        named.pop("_loop_vars", None)
        return __called(*values, **named)


class Environment(jinja2.Environment):
    """One whose globals are complete before the first template is loaded, and so can be plain dictionaries."""

    code_generator_class = _Generator
    context_class = _Context

    @staticmethod
    def escaped(value: Any) -> str:
        """What `markupsafe.escape` gives, as plain text: a page shows a hundred values, and joins them."""
        if type(value) is not str:
            if hasattr(value, "__html__"):
                html: str = value.__html__()
                return html
            value = str(value)
        text: str = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return text.replace("'", "&#39;").replace('"', "&#34;")

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        return {**self.globals, **(d or {})}  # Jinja2's own ChainMap is asked a hundred times for each page


class Compiled(jinja2.BytecodeCache):
    """Compiled templates in files; a site has none before it has a `.fencepost`."""

    def __init__(self, config: Config) -> None:
        home = config.root / ".fencepost"
        modules = Path(cache_from_source(__file__)).parent
        self._theme = theme_folder()
        self._of_site = home / "templates" if home.is_dir() else None
        shared = not sys.dont_write_bytecode and os.access(modules, os.W_OK)
        self._of_theme = modules if shared else self._of_site
        self._program = [os.stat(file).st_mtime_ns for file in (__file__, jinja2.__file__)]

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        """The file that a template is kept in; "" for nowhere."""
        ours = filename is not None and Path(filename).is_relative_to(self._theme)
        folder = self._of_theme if ours else self._of_site
        return f"{folder}/{super().get_cache_key(name, filename)}.template" if folder else ""

    def get_source_checksum(self, source: str) -> str:
        """What a compiled template was made of: another program compiles anew."""
        return hashlib.sha256(f"{self._program}\n{source}".encode()).hexdigest()

    def load_bytecode(self, bucket: Bucket) -> None:
        with contextlib.suppress(OSError), open(bucket.key, "rb") as file:
            bucket.load_bytecode(file)

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.key:
            with contextlib.suppress(OSError):
                write_whole(Path(bucket.key), bucket.bytecode_to_string(), shared=True)
