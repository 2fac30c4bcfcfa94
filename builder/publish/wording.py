"""What the command says of a publish, as lines of text or as plain data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from builder.messages import count
from builder.publish.plan import Plan, PublishError
from builder.publish.publish import Publication
from builder.publish.refusals import Refusal
from builder.translation import hint_in_korean, message_in_korean, speaks_korean

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
    what, hint, more = refusal.message, refusal.hint, len(refusal.details) - _SHOWN
    if speaks_korean():
        hint = f"{hint_in_korean(hint)}. 아니면 " if hint else ""
        first = f"게시하지 않음: {message_in_korean(what)}  ({hint}--allow {refusal.name})"
        last = f"    … 그리고 {more}개 더"
    else:
        hint = f"{hint}; or " if hint else ""
        first = f"not published: {what}  ({hint}--allow {refusal.name})"
        last = f"    … and {more} more"
    details = [f"    {detail}" for detail in refusal.details[:_SHOWN]]
    return "\n".join([first, *details, *([last] if more > 0 else [])])


def publication_summary(publication: Publication, *, dry_run: bool) -> str:
    """Return the last line of a publish."""
    if speaks_korean():
        return _summary_in_korean(publication, dry_run=dry_run)
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


def _summary_in_korean(publication: Publication, *, dry_run: bool) -> str:
    plan = publication.plan
    done = "거절됨" if publication.refusals else "보낼 것임" if dry_run else "보냄"
    what = f"자산 {len(plan.assets)}개와 페이지 {len(plan.new) + len(plan.changed)}개 {done}"
    parts = [
        what if plan.sends else f"{'보낼 것' if dry_run else '보낸 것'} 없음",
        *([f"파일 {len(plan.removed)}개 지움"] if plan.removed else []),
        f"{plan.unchanged}개 그대로",
    ]
    return f"{publication.name} ({publication.target.where}): {', '.join(parts)}"


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
