"""Fencepost: a static blog generator that runs the Python fences of Markdown posts."""

__version__ = "0.1.0"
