"""A run as plain data, for JSON, and back."""

from __future__ import annotations

from typing import Any

from builder.model import Failure, Figure, Frame, Markup, Output, Part, Run, Text

KINDS: dict[str, type[Part]] = {"text": Text, "figure": Figure, "markup": Markup}


def encode(run: Run) -> dict[str, Any]:
    """Return a run as dictionaries and lists."""
    return {
        "outputs": [encode_output(output) for output in run.outputs],
        "facts": dict(run.facts),
        "warnings": list(run.warnings),
    }


def decode(stored: dict[str, Any]) -> Run:
    """Return the run that `encode` was given. Raises KeyError, TypeError or ValueError for anything else."""
    outputs = tuple(decode_output(output) for output in stored["outputs"])
    return Run(outputs, stored["facts"], tuple(stored["warnings"]))


def encode_output(output: Output) -> dict[str, Any]:
    """Return an output as plain data; what is empty is left out."""
    failure = output.failure
    plain: dict[str, Any] = {"parts": [_encode_part(part) for part in output.parts]}
    if failure is not None:
        plain["failure"] = {name: getattr(failure, name) for name in failure.__dataclass_fields__}
        plain["failure"]["frames"] = [[f.cell, f.line, f.name, f.source] for f in failure.frames]
    if output.stderr:
        plain["stderr"] = output.stderr
    if output.drew_random:
        plain["drew_random"] = True
    return plain


def decode_output(plain: dict[str, Any]) -> Output:
    """Return the output that `encode_output` was given."""
    parts = tuple(_decode_part(dict(part)) for part in plain["parts"])
    failure = _decode_failure(dict(plain["failure"])) if "failure" in plain else None
    return Output(parts, failure, plain.get("stderr", ""), plain.get("drew_random", False))


def figures_of(run: Run) -> list[str]:
    """Return the names of the figures of a run, each once, sorted."""
    parts = (part for output in run.outputs for part in output.parts)
    return sorted({part.blob for part in parts if isinstance(part, Figure)})


def _encode_part(part: Part) -> dict[str, Any]:
    kind = next(name for name, cls in KINDS.items() if isinstance(part, cls))
    names = (name for name in part.__dataclass_fields__ if name != "marks")  # nobody prints a mark
    return {"is": kind, **{name: getattr(part, name) for name in names}}


def _decode_part(plain: dict[str, Any]) -> Part:
    return KINDS[plain.pop("is")](**plain)


def _decode_failure(plain: dict[str, Any]) -> Failure:
    plain["frames"] = tuple(Frame(*frame) for frame in plain["frames"])
    plain["causes"], plain["names"] = tuple(plain["causes"]), tuple(plain["names"])
    return Failure(**plain)
