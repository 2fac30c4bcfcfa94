"""The HTML of articles on disk, by content: ten thousand of them would not be held in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from builder.execute.cache import put
from builder.model import Config


class BodyLost(Exception):
    """The HTML of an article, made by an earlier build, is not there any more, or damaged."""


class Bodies:
    """The bodies of one site's articles."""

    def __init__(self, config: Config) -> None:
        self.folder = config.root / ".fencepost" / "bodies"

    def store(self, html: str) -> str:
        """Keep a body; return its name."""
        content = html.encode("utf-8", "replace")
        name = hashlib.sha256(content).hexdigest()[:32]
        path = self.folder / name
        if not path.exists():
            put(path, content)
        return name

    def read(self, name: str) -> str:
        """Return a body. Raises BodyLost."""
        try:
            content = (self.folder / name).read_bytes()
        except OSError as error:
            raise BodyLost(name) from error
        if hashlib.sha256(content).hexdigest()[:32] != name:
            raise BodyLost(name)
        return content.decode("utf-8")

    def keep(self, names: Iterable[str]) -> None:
        """Remove all other bodies."""
        kept = set(names)
        for path in list(self.folder.iterdir()) if self.folder.is_dir() else ():
            if path.name not in kept:
                path.unlink(missing_ok=True)
