"""`log`: what was done in a case, by whom and when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.case_options import CaseOption, open_to_read
from engine.cli.output import Json, print_json, print_line
from engine.core.errors import BadInputError

if TYPE_CHECKING:
    from engine.case import AuditEntry


def command(
    case: CaseOption,
    action: Annotated[
        str | None,
        typer.Option("--action", metavar="NAME", help="Only these: run, or run.finish."),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--object", metavar="NAME", help="Only about this: run:3, case.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="UTC", help="Only from this date or time on.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Lists the audit log: what was done, by whom, when, and the head of its chain.

    Write the head down elsewhere: with it `verify --head` finds any later change.
    """
    earliest = None if since is None else _parse_time(since)
    with open_to_read(case) as opened, opened.database.snapshot():
        head, count = opened.audit.head, opened.audit.count
        entries = [
            entry
            for entry in opened.audit.entries()
            if (action is None or entry.action == action or entry.action.startswith(f"{action}."))
            and (name is None or entry.object == name)
            and (earliest is None or _not_before(entry, earliest))
        ]
    if as_json:
        print_json({"entries": [entry.__dict__ for entry in entries], "head": head, "count": count})
        return
    for entry in entries:
        print_line(_line(entry))
    print_line(f"{len(entries):,} of {count:,} entries, head {head}")


def _line(entry: AuditEntry) -> str:
    from engine.case.audit_text import details

    when = entry.utc[:19].replace("T", " ")
    action = f"{entry.action} {entry.object}"
    return f"{entry.seq:>5}  {when}Z  {entry.actor}  {action}  {details(entry)}  {entry.hash[:12]}"


def _parse_time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise BadInputError(
            "not a date or time", text, "write 2025-03-31 or 2025-03-31T18:00:00"
        ) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _not_before(entry: AuditEntry, earliest: datetime) -> bool:
    # An entry whose time was tampered with is shown rather than hidden.
    try:
        return _parse_time(entry.utc) >= earliest
    except BadInputError:
        return True
