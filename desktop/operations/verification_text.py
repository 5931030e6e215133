"""The result of a verification, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Fields = Mapping[str, Any]


def verification_summary(fields: Fields) -> str:
    """Returns the result of a verification in one line.

    Args:
        fields: as `main.py verify --json` prints them.
    """
    bad = [str(file.get("path")) for file in fields.get("evidence", []) if not file.get("ok")]
    records, audit = fields.get("records", {}), fields.get("audit", {})
    problems = []
    if bad:
        problems.append(f"changed or missing evidence: {', '.join(bad)}")
    if records.get("bad"):
        rows = ", ".join(f"{row.get('table')} {row.get('id')}" for row in records["bad"][:5])
        problems.append(f"records that were changed behind the program's back: {rows}")
    if not audit.get("ok", True):
        problems.append(f"the audit chain breaks at entry {audit.get('first_bad')}")
    if audit.get("head_in_chain") is False:
        problems.append(
            "the head that was noted is not in this audit log: it is of another case, or the "
            "log was written anew"
        )
    if problems:
        return "; ".join(problems)
    return (
        f"{len(fields.get('evidence', []))} evidence, {records.get('checked', 0)} records and "
        f"{audit.get('entries', 0)} audit entries are as they were recorded"
    )


def verification_text(fields: Fields) -> str:
    """Returns the result of a verification with every hash, to be compared with other records."""
    lines = [verification_summary(fields), ""]
    for file in fields.get("evidence", []):
        lines += [str(file.get("path")), f"  recorded  SHA-256  {file.get('sha256_recorded')}"]
        lines.append(f"  now       SHA-256  {file.get('sha256_now') or 'cannot be read'}")
        for name, value in file.get("also", {}).items():
            lines.append(f"  now       {_TITLES.get(name, name):<7}  {value}")
    audit = fields.get("audit", {})
    lines += ["", f"Audit log, {audit.get('entries', 0)} entries", f"  head  {audit.get('head')}"]
    if "head_in_chain" in audit:
        lines.append(
            f"  the head that was noted is {'' if audit['head_in_chain'] else 'NOT '}in it"
        )
    return "\n".join(lines)


_TITLES = {"md5": "MD5", "sha1": "SHA-1"}
