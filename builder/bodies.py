"""The HTML of articles on disk: ten thousand of them would not be held in memory.

Bodies are appended to packs, one for each process that stores any in a build, since ten thousand small files
are slow to make. A body's name says where it is and what it is: `<sha256>@<pack>:<offset>:<length>`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Iterable, Iterator, Mapping

from builder.model import Article, Config

MOST_OPEN = 16  # packs that are read from at once
# Bodies that nothing refers to any more are let lie until there are more of them than of the others.
MOST_WASTE = 8 * 1024 * 1024  # bytes


class BodyLost(Exception):
    """The HTML of an article, made by an earlier build, is not there any more, or damaged."""


class Bodies:
    """The bodies of one site's articles."""

    def __init__(self, config: Config) -> None:
        self.folder = config.root / ".fencepost" / "bodies"
        self._since = time.time_ns()
        self._readers: dict[str, int] = {}
        self._writer: tuple[int, str, int] = (0, "", -1)  # process, pack, descriptor

    def store(self, texts: Mapping[str, str]) -> dict[str, str]:
        """Keep some bodies, in one piece of a pack; return their names by the same keys."""
        process, pack, descriptor = self._writer
        if process != os.getpid():
            pack = f"{time.time_ns():x}-{os.getpid()}"
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.folder / pack, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            self._writer = (os.getpid(), pack, descriptor)
        contents = [text.encode("utf-8", "replace") for text in texts.values()]
        offset = os.lseek(descriptor, 0, os.SEEK_END)
        os.write(descriptor, b"".join(contents))
        names = {}
        for key, content in zip(texts, contents, strict=True):
            names[key] = f"{_digest(content)}@{pack}:{offset}:{len(content)}"
            offset += len(content)
        return names

    def read(self, name: str) -> str:
        """Return a body. Raises BodyLost."""
        digest, _, place = name.partition("@")
        pack, offset, length = place.split(":")
        try:
            if pack not in self._readers:
                if len(self._readers) >= MOST_OPEN:
                    self._close_readers()
                self._readers[pack] = os.open(self.folder / pack, os.O_RDONLY)
            content = os.pread(self._readers[pack], int(length), int(offset))
        except OSError as error:
            raise BodyLost(name) from error
        if not self._is_ours(pack) and _digest(content) != digest:
            raise BodyLost(name)
        return content.decode("utf-8")

    def _is_ours(self, pack: str) -> bool:
        """Has this build written the pack? Then what it holds needs no look for damage."""
        return int(pack.partition("-")[0], 16) >= self._since

    def close(self) -> None:
        """Close every pack. Those that a forked process had from its parent are its parent's."""
        self._close_readers()
        process, _, descriptor = self._writer
        if process == os.getpid():
            os.close(descriptor)
        self._writer = (0, "", -1)

    def _close_readers(self) -> None:
        for descriptor in self._readers.values():
            os.close(descriptor)
        self._readers.clear()

    def keep(self, names: Iterable[str]) -> bool:
        """Remove the packs that hold none of these bodies; return whether the others are worth keeping."""
        live: dict[str, int] = {}
        for name in names:
            pack, _, length = name.partition("@")[2].split(":")
            live[pack] = live.get(pack, 0) + int(length)
        size = 0
        for entry in list(os.scandir(self.folder)) if self.folder.is_dir() else ():
            if entry.name in live:
                size += entry.stat().st_size
            else:
                with contextlib.suppress(OSError):
                    os.unlink(entry.path)
        return size <= 2 * sum(live.values()) + MOST_WASTE


def kept_bodies(article: Article) -> Iterator[str]:
    """The names of what is kept of an article: its HTML and its copies."""
    return filter(None, (article.body, article.markdown, article.notebook, article.script))


def content_of(name: str) -> str:
    """What a body is, wherever it lies: equal for equal HTML."""
    return name.partition("@")[0]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]
