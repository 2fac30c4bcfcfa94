"""The command `fencepost`, also as `python -m builder`: at once where nothing has changed, else builder.cli."""

from __future__ import annotations

import gc
import os
import sys

from builder.state import said_before

# Most of what a build reads and makes is kept to the end: to look for garbage early finds none.
ALLOCATIONS = 1_000_000


def main() -> None:
    """Run the command and exit."""
    gc.set_threshold(ALLOCATIONS)
    try:
        status = _run(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read what we say has read enough
        status = 0
    sys.stderr.flush()
    os._exit(status)  # what is still in memory need not be taken apart piece by piece


def _run(arguments: list[str]) -> int:
    said, seen = said_before(arguments)
    if said is not None:
        out, err, status = said
        sys.stderr.write(err)
        sys.stdout.write(out)
        return status
    from builder.cli import main as run

    try:
        run(arguments, seen)
    except SystemExit as exit:
        return exit.code if isinstance(exit.code, int) else int(exit.code is not None)
    return 0


if __name__ == "__main__":
    main()
