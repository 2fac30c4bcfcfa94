"""The command `fencepost`, also as `python -m builder`: at once where nothing has changed, else builder.cli."""

from __future__ import annotations

import gc
import sys

from builder.state import said_before

# Most of what a build reads and makes is kept to the end: to look for garbage early finds none.
ALLOCATIONS = 100_000


def main() -> None:
    """Run the command and exit."""
    gc.set_threshold(ALLOCATIONS)
    said, before = said_before(sys.argv[1:])
    if said is None:
        from builder.cli import main as run

        run(sys.argv[1:], before)
    else:
        out, err, status = said
        sys.stderr.write(err)
        sys.stdout.write(out)
        sys.stdout.flush()
        sys.exit(status)


if __name__ == "__main__":
    main()
