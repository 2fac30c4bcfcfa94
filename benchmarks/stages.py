"""Where the time of a cold build goes: seconds of the processor in each stage, of one process.

python -m benchmarks.stages SITE
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import builder.build
import builder.fences
import builder.front_matter
import builder.markdown.render
import builder.memo
import builder.output
import builder.pages
import builder.prepare
from builder.__main__ import ALLOCATIONS
from builder.config import read_config

# What is called, where it is looked up, and under which name it is told. A stage in another one is told apart.
STAGES: tuple[tuple[Any, str, str], ...] = (
    (builder.front_matter, "parse_front_matter", "front matter"),
    (builder.fences, "read_cells", "blocks and cells"),
    (builder.markdown.render, "parse", "inline Markdown"),
    (builder.markdown.render, "highlight", "highlighting"),
    (builder.markdown.render, "to_html", "tokens to HTML"),
    (builder.markdown.render, "render", "rest of rendering"),
    (builder.prepare.Workshop, "_copies", "copies: Markdown, notebook, script"),
    (builder.prepare.Workshop, "_findable", "terms of the search"),
    (builder.prepare.Workshop, "prepare", "rest of preparing"),
    (builder.build, "site_of", "site, links, addresses"),
    (builder.pages, "_made", "templates"),
    (builder.output.Tree, "put", "writing files"),
    (builder.output.Tree, "link_spare", "spare"),
    (builder.build, "_write", "rest of making pages"),
    (builder.memo.Memo, "write", "memo"),
    (builder.build, "build", "rest"),
)


class Clock:
    """Gives the time that passes to the innermost stage that is under way."""

    def __init__(self) -> None:
        self.times: dict[str, float] = {}
        self._under_way: list[str] = []
        self._since = time.process_time()

    def watch(self, place: Any, name: str, stage: str) -> None:
        """Count the time of one function as a stage."""
        work: Callable[..., Any] = getattr(place, name)

        def watched(*arguments: Any, **options: Any) -> Any:
            self._turn()
            self._under_way.append(stage)
            try:
                return work(*arguments, **options)
            finally:
                self._turn()
                self._under_way.pop()

        setattr(place, name, watched)

    def _turn(self) -> None:
        now = time.process_time()
        if self._under_way:
            stage = self._under_way[-1]
            self.times[stage] = self.times.get(stage, 0.0) + now - self._since
        self._since = now


def main() -> None:
    config = read_config(Path(sys.argv[1]).resolve())
    gc.set_threshold(ALLOCATIONS)
    clock = Clock()
    for place, name, stage in STAGES:
        clock.watch(place, name, stage)
    built = builder.build.build(config, 1)
    posts = built.report.posts
    for _, _, stage in STAGES:
        print(f"    {stage:36}{clock.times.get(stage, 0.0) / posts * 1000:7.2f} ms")
    print(f"    {'all':36}{sum(clock.times.values()) / posts * 1000:7.2f} ms")


if __name__ == "__main__":
    main()
