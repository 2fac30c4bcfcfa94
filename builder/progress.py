"""What is running, while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Progress:
    """What is running: one line that changes on a terminal, and in a pipe a line for each cell that is slow."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.live = stream.isatty()
        self.shown = False
        self.ended = ""
        self.told: dict[tuple[str, int], float] = {}  # when a slow cell was last told of, in its seconds

    def observe(self, path: str, event: Mapping[str, Any]) -> None:
        """Show an event of a session."""
        kind = event["event"]
        if kind == "ended":
            self.ended = f"[{event['of'] - event['left']}/{event['of']}] "
        elif kind == "spawning":
            print(f"posts run in processes of their own, which is slower: {event['why']}", file=self.stream)
        elif kind == "cell":
            self.say(f"{self.ended}running {path}, cell {event['cell']}")
        elif kind == "running":
            seconds, limit = event["seconds"], event["limit"]
            self.say(f"{self.ended}running {path}, cell {event['cell']}: {seconds:.0f} s of {limit:g} s")
            self._tell_once(path, event["cell"], seconds)

    def say(self, text: str) -> None:
        """Show `text` in place of what was shown before."""
        if self.live:
            print(f"\r\x1b[K{text}", end="", file=self.stream, flush=True)
            self.shown = True

    def done(self) -> None:
        """Take the line away."""
        if self.shown:
            print("\r\x1b[K", end="", file=self.stream, flush=True)

    def _tell_once(self, path: str, cell: int, seconds: float) -> None:
        """In a pipe, tell of a slow cell after 10 seconds, and again whenever its time has doubled."""
        if not self.live and seconds >= 2 * self.told.get((path, cell), 5.0):
            self.told[path, cell] = seconds
            print(f"{path}: cell {cell} has been running for {seconds:.0f} s", file=self.stream, flush=True)
