"""Other people's programs, as targets use them: git, rsync, netlify, wrangler."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Final

from builder.publish.plan import PublishError

ANY_CODE: Final = range(1, 256)


def run(
    command: Sequence[str],
    *,
    folder: Path,
    given: bytes = b"",
    environment: Mapping[str, str] | None = None,
    fine: Container[int] = (0,),
    may_fail: Container[int] = (),
    hint: str = "",
) -> bytes | None:
    """Run a program in a folder and return its standard output; None if it failed as it may.

    Raises PublishError, with what the program said, if it is not there or fails.
    """
    try:
        done = subprocess.run(
            list(command),
            cwd=folder,
            input=given,
            capture_output=True,
            env={**os.environ, **(environment or {})},
        )
    except FileNotFoundError:
        raise PublishError(f"the program `{command[0]}` is not installed", hint) from None
    if done.returncode in fine:
        return done.stdout
    if done.returncode in may_fail:
        return None
    said = (done.stderr or done.stdout).decode("utf-8", "replace").strip()
    raise PublishError(f"`{' '.join(command[:2])}` failed with exit code {done.returncode}", hint, said)
