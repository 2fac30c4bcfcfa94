"""Object stores (S3, Google, Azure) and SFTP as targets, through fsspec.

An object is put in place whole by the store itself; over SFTP a file gets its name when it is whole. What is there
is compared by the hash that the store keeps (S3, Google), else by the record and the size.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import groupby
from typing import Any, Final

from builder.publish.files import File
from builder.publish.headers import cache_control, content_type
from builder.publish.plan import Plan, PublishError, There, shown
from builder.publish.record import NAME, parse_record, record_text, under_way

EXTRAS: Final = {
    "s3": "s3",
    "gs": "gcs",
    "gcs": "gcs",
    "az": "azure",
    "abfs": "azure",
    "abfss": "azure",
    "sftp": "sftp",
    "ssh": "sftp",
}
_RENAMED: Final = {"sftp", "ssh"}  # where a file that is being written can be seen
_BATCH: Final = 64
_NEW: Final = ".fencepost-new"


class Store:
    """A folder of a store: `s3://bucket/blog`, `gs://...`, `az://...`, `sftp://host/folder`."""

    def __init__(self, address: str, options: Mapping[str, Any]) -> None:
        self.where = shown(address)
        self._address = address.rstrip("/")
        self._scheme = address.partition(":")[0]
        self._options = options
        self._made: set[str] = set()  # folders that are there
        self._held: frozenset[str] = frozenset()

    def extras(self) -> Mapping[str, bytes]:
        return {}

    def look(self, files: Mapping[str, File]) -> There:
        with self._told():
            system, top = self._system
            try:
                held = system.find(top, detail=True)
            except FileNotFoundError:
                held = {}
            found = {name.removeprefix(f"{top}/"): about for name, about in held.items()}
            self._held = frozenset(found)
            known = parse_record(system.cat_file(f"{top}/{NAME}") if NAME in found else None)
        same = {
            path
            for path, file in files.items()
            if path in found and known.get(path) == file.digest and _agrees(found[path], file)
        }
        foreign = {path for path in files if path in found and path not in known}
        return There(frozenset(same), known, frozenset(foreign))

    def send(self, plan: Plan) -> None:
        with self._told():
            self._put_record(under_way(plan.there.known, plan.touched))
            self._remove(plan.removed_first)
            for files in (plan.assets, plan.new, plan.changed):
                self._put(files)
            self._remove(plan.removed_last)
            self._put_record(record_text(plan.record))

    @cached_property
    def _system(self) -> tuple[Any, str]:
        """The file system, and the path of the folder in it."""
        extra = EXTRAS.get(self._scheme, "s3")
        try:
            import fsspec

            options = {**_defaults(self._scheme), **self._options}
            system, top = fsspec.core.url_to_fs(self._address, skip_instance_cache=True, **options)
        except ImportError as error:
            hint = f"pip install 'fencepost[{extra}]'"
            raise PublishError(
                f"{self._scheme}:// needs a package that is not installed: {error}", hint
            ) from None
        except ValueError as error:
            raise PublishError(f"{self.where}: {error}") from None
        return system, str(top).rstrip("/")

    def _put(self, files: Iterable[File]) -> None:
        system, top = self._system
        if self._scheme in _RENAMED:
            for file in files:
                self._put_renamed(file.path, file.source.read_bytes())
            return
        ordered = sorted(files, key=lambda file: (content_type(file.path), cache_control(file)))
        for (kind, keep), group in groupby(
            ordered, lambda file: (content_type(file.path), cache_control(file))
        ):
            alike = list(group)
            for start in range(0, len(alike), _BATCH):
                batch = {
                    f"{top}/{file.path}": file.source.read_bytes() for file in alike[start : start + _BATCH]
                }
                system.pipe(batch, **_headers(self._scheme, kind, keep))

    def _put_record(self, content: bytes) -> None:
        system, top = self._system
        if self._scheme in _RENAMED:
            self._put_renamed(NAME, content)
        else:
            system.pipe_file(
                f"{top}/{NAME}", content, **_headers(self._scheme, "application/json", "no-cache")
            )

    def _put_renamed(self, path: str, content: bytes) -> None:
        system, top = self._system
        target = f"{top}/{path}"
        folder = target.rpartition("/")[0]
        if folder not in self._made:
            system.makedirs(folder, exist_ok=True)
            self._made.add(folder)
        system.pipe_file(f"{folder}/{_NEW}", content)
        system.mv(f"{folder}/{_NEW}", target)

    def _remove(self, paths: Iterable[str]) -> None:
        system, top = self._system
        there = [path for path in paths if path in self._held]
        self._held -= set(there)
        names = [f"{top}/{path}" for path in there]
        if self._scheme in _RENAMED:
            for name in names:
                with contextlib.suppress(FileNotFoundError):
                    system.rm_file(name)
        elif names:
            system.rm(names)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Whatever a store's library raises is told as what it is: the store does not take the site."""
        try:
            yield
        except PublishError:
            raise
        except Exception as error:
            hint = "are its address and credentials right? They are read as its own tools read them"
            raise PublishError(f"{type(error).__name__}: {error}", hint) from error


def _agrees(about: Mapping[str, Any], file: File) -> bool:
    """Are the bytes at the store those of the file, as far as the store says?"""
    if about.get("size") != file.size:
        return False
    tag = str(about.get("ETag", "")).strip('"')
    if len(tag) == 32 and "md5Hash" not in about:
        return tag == _md5(file).hex()
    if "md5Hash" in about:
        return bool(about["md5Hash"] == base64.b64encode(_md5(file)).decode())
    return True


def _md5(file: File) -> bytes:
    return hashlib.md5(file.source.read_bytes(), usedforsecurity=False).digest()


def _headers(scheme: str, kind: str, keep: str) -> dict[str, Any]:
    """Type and time to keep, as each store's library takes them."""
    match EXTRAS.get(scheme):
        case "s3":
            return {"ContentType": kind, "CacheControl": keep}
        case "gcs":
            return {"content_type": kind, "fixed_key_metadata": {"cache_control": keep}}
        case "azure":
            return {"content_settings": {"content_type": kind, "cache_control": keep}}
    return {}


def _defaults(scheme: str) -> dict[str, Any]:
    """Nothing remembered of what is there; over SFTP, only hosts that ssh knows: fsspec would believe anyone."""
    if scheme not in _RENAMED:
        return {"use_listings_cache": False}
    from pathlib import Path

    import paramiko

    class KnownHosts(paramiko.MissingHostKeyPolicy):
        def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
            known = paramiko.HostKeys()
            for file in (Path("~/.ssh/known_hosts").expanduser(), Path("/etc/ssh/ssh_known_hosts")):
                if file.is_file():
                    known.load(str(file))
            if not known.check(hostname, key):
                raise paramiko.SSHException(f"{hostname} is no known host: connect once by `sftp` or `ssh`")

    return {"host_key_policy": KnownHosts()}
