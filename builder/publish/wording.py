"""What the command says of a publish, as lines of text or as plain data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from builder.messages import count
from builder.publish.plan import Plan, PublishError
from builder.publish.publish import Publication
from builder.publish.refusals import Refusal

_SHOWN = 10  # details of one refusal


def plan_lines(plan: Plan) -> Iterator[str]:
    """Yield the steps of a plan, in their order."""
    for name, files in (("asset", plan.assets), ("new page", plan.new), ("page", plan.changed)):
        for file in files:
            yield f"send {name} {file.path}"
    for path in plan.removed:
        yield f"remove {path}"


def refusal_text(refusal: Refusal) -> str:
    """Return a refusal, what there is to know about it, and how it is allowed."""
    hint = f"{refusal.hint}; or " if refusal.hint else ""
    lines = [f"not published: {refusal.message}  ({hint}--allow {refusal.name})"]
    lines += [f"    {detail}" for detail in refusal.details[:_SHOWN]]
    if len(refusal.details) > _SHOWN:
        lines.append(f"    … and {len(refusal.details) - _SHOWN} more")
    return "\n".join(lines)


def publication_summary(publication: Publication, *, dry_run: bool) -> str:
    """Return the last line of a publish."""
    plan = publication.plan
    pages = len(plan.new) + len(plan.changed)
    numbers = [count(len(plan.assets), "asset"), count(pages, "page")]
    if plan.removed:
        numbers.append(f"{count(len(plan.removed), 'file')} removed")
    done = "refused" if publication.refusals else "would be sent" if dry_run else "sent"
    what = (
        f"{' and '.join(numbers[:2])} {done}" if plan.sends else f"nothing {'to send' if dry_run else 'sent'}"
    )
    where = f"{publication.name} ({publication.target.where})"
    return ", ".join([f"{where}: {what}", *numbers[2:], f"{plan.unchanged} unchanged"])


def plain_publication(
    publication: Publication | None, failure: PublishError | None, *, dry_run: bool
) -> dict[str, Any]:
    """Return what `publish --json` prints."""
    plain: dict[str, Any] = {"failure": failure.message if failure else "", "dry_run": dry_run, "sent": False}
    if publication is not None:
        plan = publication.plan
        plain |= {
            "target": publication.name,
            "assets": [file.path for file in plan.assets],
            "pages": [file.path for file in (*plan.new, *plan.changed)],
            "removed": list(plan.removed),
            "unchanged": plan.unchanged,
            "sent": not (dry_run or failure or publication.refusals),
            "refusals": [
                {"name": refusal.name, "message": refusal.message, "details": list(refusal.details)}
                for refusal in publication.refusals
            ],
        }
    return plain
