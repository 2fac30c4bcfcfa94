"""`python -m builder` is the command `fencepost`."""

from builder.cli import main

main()
