"""The shell that cells run in: IPython without a terminal, a history or colours."""

from __future__ import annotations

import sys
import warnings
from typing import Any, Protocol

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell

from builder.execute.figures import Figures

# Magics that a post may use without effect.
QUIET_MAGICS = {"matplotlib", "config", "load_ext", "reload_ext", "autoreload"}


class Audience(Protocol):
    """Who is told what cells display."""

    def show(self, data: dict[str, Any], value: bool) -> None:
        """Something is displayed; `value`: as the value of the last expression."""

    def clear(self) -> None:
        """What was displayed so far is to be forgotten."""


class Publisher(DisplayPublisher):  # type: ignore[misc]
    """Where `display(...)` and figures go."""

    def publish(self, data: dict[str, Any], metadata: Any = None, **_: Any) -> None:
        self.parent.show(data, value=False)

    def clear_output(self, wait: bool = False) -> None:
        self.parent.clear()


class ValueHook(DisplayHook):  # type: ignore[misc]
    """Where the value of a cell's last expression goes."""

    def quiet(self) -> bool:
        try:
            return bool(self.semicolon_at_end_of_expression(self.shell.source))
        except Exception:  # the tokenizer does not know magics
            return False

    def __call__(self, result: object = None) -> None:
        self.check_for_underscore()
        if result is None or self.quiet() or _is_artist(result):
            return
        data, _ = self.compute_format_data(result)
        self.update_user_ns(result)
        self.fill_exec_result(result)
        if data:
            self.shell.show(data, value=True)


class Shell(InteractiveShell):  # type: ignore[misc]
    """IPython without a terminal, a history, colours or a reaction to errors of its own."""

    source = ""
    cell = 0
    failed: BaseException | None = None
    audience: Audience | None = None
    figures: Figures

    def init_ipython_dir(self, ipython_dir: str | None) -> None:
        """No folder: nothing of the author's own IPython is read, and none is made in their home or elsewhere."""

    def init_profile_dir(self, profile_dir: object) -> None:
        self._db: dict[str, Any] = {}  # what magics would keep there

    def show(self, data: dict[str, Any], *, value: bool) -> None:
        if self.audience is not None:
            self.audience.show(data, value)

    def clear(self) -> None:
        if self.audience is not None:
            self.audience.clear()

    def transform_cell(self, raw_cell: str) -> str:
        """As IPython does it, but with the leading blank lines, so that every line keeps its number."""
        blank = len(raw_cell) - len(raw_cell.lstrip("\n \t")) if raw_cell.strip() else 0
        return "\n" * raw_cell.count("\n", 0, blank) + str(super().transform_cell(raw_cell))

    def showtraceback(self, exc_tuple: Any = None, *_: Any, **__: Any) -> None:
        self.failed = exc_tuple[1] if exc_tuple else sys.exc_info()[1]

    def showsyntaxerror(self, *_: Any, **__: Any) -> None:
        self.failed = sys.exc_info()[1]

    showindentationerror = showsyntaxerror

    def run_line_magic(self, magic_name: str, line: str, _stack_depth: int = 1) -> Any:
        if magic_name in QUIET_MAGICS:
            return None
        return super().run_line_magic(magic_name, line, _stack_depth + 1)


def make_shell() -> Shell:
    """Return the shell that sessions run in. The fork server makes it once, before any fork."""
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    config.InlineBackend.figure_formats = set()  # `register_figures` does it, with fixed ids and dates
    config.Completer.use_jedi = False
    Shell.displayhook_class = ValueHook
    Shell.display_pub_class = Publisher
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shell: Shell = Shell.instance(config=config, colors="nocolor")
    shell.display_pub.parent = shell
    shell.compile.get_code_name = lambda *_: f"<cell {shell.cell}>"
    for name in ("exit", "quit"):  # IPython's own would do nothing here
        shell.builtin_trap.auto_builtins.pop(name, None)
    warnings.filterwarnings("ignore", message="To exit: use", category=UserWarning)
    shell.figures = Figures()
    return shell


def _is_artist(value: object) -> bool:
    """Is this what a Matplotlib call returns: an artist, or a list or tuple that holds one?"""
    if "matplotlib" not in sys.modules:
        return False
    if type(value).__name__ == "ndarray":
        value = list(getattr(value, "flat", ()))[:1]
    if isinstance(value, list | tuple):
        return any(_is_artist(part) for part in value[:50])
    names = {f"{base.__module__}.{base.__name__}" for base in type(value).__mro__}
    artist = bool(names & {"matplotlib.artist.Artist", "matplotlib.container.Container"})
    return artist and "matplotlib.figure.FigureBase" not in names
