"""Templates as Jinja2 compiles them: what is quicker here, and where they are kept.

Nothing in a compiled template depends on a site (in `{{ "/" | href }}`, the filter is asked for each page). So
those of the theme are kept where Python keeps the modules of this program, for all sites, and a site's own in
its `.fencepost`; all of them there, where the folder of this program cannot be written.
"""

from __future__ import annotations

import contextlib
import hashlib
import marshal
import os
from collections.abc import Callable, MutableMapping
from functools import cache
from pathlib import Path
from types import FunctionType, MethodType
from typing import Any, Final

import jinja2
import markupsafe
from jinja2.bccache import Bucket, bc_magic
from jinja2.compiler import CodeGenerator, Frame
from jinja2.runtime import Macro
from jinja2.utils import _PassArg, internalcode

from builder.assets import shared_folder, theme_folder
from builder.model import Config
from builder.whole import write_whole

# Functions that say themselves what they want besides their arguments, if anything.
_PLAIN: Final = frozenset({FunctionType, MethodType, type(cache(len))})
# Plain text escaped to plain text, where MarkupSafe can: in C, and without an object for each text.
_escape: Final[Callable[[str], str]] = getattr(markupsafe, "_escape_inner", markupsafe.escape)


class _Generator(CodeGenerator):
    """Lets compiled templates show text by our own `escaped`, where Jinja2 would make an object for each.

    And a template or block gives its text as a whole, not each piece of it through all that it stands in.
    """

    def enter_frame(self, frame: Frame) -> None:
        super().enter_frame(frame)
        if frame.parent is None:
            self.buffer(frame)

    def leave_frame(self, frame: Frame, with_python_scope: bool = False) -> None:
        super().leave_frame(frame, with_python_scope)
        if frame.parent is None:
            self.writeline(f"if {frame.buffer}: yield concat({frame.buffer})")

    def _output_child_pre(self, node: jinja2.nodes.Expr, frame: Frame, finalize: Any) -> None:
        if frame.eval_ctx.autoescape and not frame.eval_ctx.volatile:
            self.write("environment.escaped(")
        else:
            super()._output_child_pre(node, frame, finalize)


class _Context(jinja2.runtime.Context):
    """Calls macros and plain functions at once: Jinja2 looks first for all that a thing might want."""

    @internalcode
    def call(__self, __called: Any, *values: Any, **named: Any) -> Any:
        kind = type(__called)
        # A method takes long to say that neither it nor its function has an attribute.
        function = __called.__func__ if kind is MethodType else __called
        if kind is Macro:
            values = (__self.eval_ctx, *values)
        elif kind not in _PLAIN:
            return super().call(__called, *values, **named)
        elif wanted := getattr(function, "jinja_pass_arg", None):
            if wanted is not _PassArg.context or named.get("_loop_vars") or named.get("_block_vars"):
                return super().call(__called, *values, **named)
            values = (__self, *values)
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
        return _escape(value)

    @internalcode
    def get_template(
        self,
        name: str | jinja2.Template,
        parent: str | None = None,
        globals: MutableMapping[str, Any] | None = None,
    ) -> jinja2.Template:
        """A template, by its name alone: a page asks for ten, and none changes while there is this environment."""
        templates: Any = self.cache
        if globals or name not in templates:
            templates[name] = super().get_template(name, parent, globals)
        found: jinja2.Template = templates[name]
        return found

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        return {**self.globals, **(d or {})}  # Jinja2's own ChainMap is asked a hundred times for each page


class Compiled(jinja2.BytecodeCache):
    """Compiled templates in files; a site has none before it has a `.fencepost`."""

    def __init__(self, config: Config) -> None:
        home = config.root / ".fencepost"
        self._theme = f"{theme_folder()}/"
        self._of_site = home / "templates" if home.is_dir() else None
        self._of_theme = shared_folder() or self._of_site
        self._program = [os.stat(file).st_mtime_ns for file in (__file__, jinja2.__file__)]

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        """The file that a template is kept in; "" for nowhere."""
        ours = filename is not None and filename.startswith(self._theme)
        folder = self._of_theme if ours else self._of_site
        return f"{folder}/{super().get_cache_key(name, filename)}.template" if folder else ""

    def get_source_checksum(self, source: str) -> str:
        """What a compiled template was made of: another program compiles anew."""
        return hashlib.sha256(f"{self._program}\n{source}".encode()).hexdigest()

    def load_bytecode(self, bucket: Bucket) -> None:
        # Not by the bucket's own way, which takes a file to pieces: that is five times slower.
        with contextlib.suppress(OSError, EOFError, ValueError, TypeError), open(bucket.key, "rb") as file:
            content, head = file.read(), _head(bucket)
            if content.startswith(head):
                bucket.code = marshal.loads(memoryview(content)[len(head) :])

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.key:
            with contextlib.suppress(OSError):
                write_whole(Path(bucket.key), _head(bucket), marshal.dumps(bucket.code), shared=True)


def _head(bucket: Bucket) -> bytes:
    """How a file begins that holds what this Python and this program made of a template."""
    return bc_magic + bucket.checksum.encode()
