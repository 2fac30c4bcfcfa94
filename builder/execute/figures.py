"""Matplotlib figures as cells show them: SVG with fixed ids and no date, or PNG where SVG would be large."""

from __future__ import annotations

from types import ModuleType
from typing import Any

# An SVG of a scatter plot with thousands of points is larger, and slower to draw, than its pixels.
LARGEST_SVG = 64 * 1024


# Fonts with Hangul that systems come with, the one for running text first.
KOREAN_FONTS = (
    *("Noto Sans CJK KR", "Noto Sans KR", "NanumGothic", "NanumBarunGothic", "Malgun Gothic"),
    *("Apple SD Gothic Neo", "AppleGothic", "UnDotum", "Noto Sans CJK JP", "Noto Sans CJK SC"),
)


def name_korean_font(font_manager: ModuleType) -> None:
    """Let Matplotlib draw Hangul with a font that has it, where one is installed: as the last to be asked."""
    import matplotlib

    installed = {font.name for font in font_manager.fontManager.ttflist}
    family = list(matplotlib.rcParams["font.family"])
    found = [name for name in KOREAN_FONTS if name in installed and name not in family][:1]
    matplotlib.rcParams["font.family"] = family + found


def register_figures(shell: Any, figures: Figures) -> None:
    """Let `shell` show figures through `figures`."""
    formatters = shell.display_formatter.formatters
    formatters["image/svg+xml"].for_type_by_name("matplotlib.figure", "Figure", figures.svg)
    formatters["image/png"].for_type_by_name("matplotlib.figure", "Figure", figures.png)


class Figures:
    """The two formatters of a figure. IPython asks for the SVG first and for the PNG right after it."""

    def __init__(self) -> None:
        self.format = "svg"
        self._as_svg = False

    def svg(self, figure: Any) -> str | None:
        """Return the figure as SVG, unless the site wants PNG or it is too large."""
        self._as_svg = False
        if self.format != "svg":
            return None
        text = _drawn(figure, "svg", metadata={"Date": None})
        self._as_svg = isinstance(text, str) and len(text) <= LARGEST_SVG
        return text if self._as_svg and isinstance(text, str) else None

    def png(self, figure: Any) -> bytes | None:
        """Return the figure as PNG, unless `svg` has just returned it."""
        if self._as_svg:
            return None
        image = _drawn(figure, "png", metadata={"Software": None})
        return image if isinstance(image, bytes) else None


def _drawn(figure: Any, kind: str, metadata: dict[str, None]) -> Any:
    import matplotlib

    canvas = figure.canvas
    try:
        from io import BytesIO

        with matplotlib.rc_context({"svg.hashsalt": "fencepost", "svg.fonttype": "path"}):
            drawn = BytesIO()
            figure.savefig(drawn, format=kind, bbox_inches="tight", metadata=metadata)
    finally:
        figure.set_canvas(canvas)
    return drawn.getvalue().decode() if kind == "svg" else drawn.getvalue()
