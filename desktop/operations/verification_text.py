"""What a verification found, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Fields = Mapping[str, Any]


def findings(fields: Fields) -> str:
    """Says in a line what a verification found; `fields` are those of `main.py verify --json`."""
    bad = [str(one.get("path")) for one in fields.get("evidence", []) if not one.get("ok")]
    records, audit = fields.get("records", {}), fields.get("audit", {})
    said = []
    if bad:
        said.append(f"changed or missing evidence: {', '.join(bad)}")
    if records.get("bad"):
        places = ", ".join(f"{one.get('table')} {one.get('id')}" for one in records["bad"][:5])
        said.append(f"records that were changed behind the program's back: {places}")
    if not audit.get("ok", True):
        said.append(f"the audit chain breaks at entry {audit.get('first_bad')}")
    if audit.get("head_in_chain") is False:
        said.append(
            "the head that was noted is not in this audit log: it is of another case, or the "
            "log was written anew"
        )
    if said:
        return "; ".join(said)
    return (
        f"{len(fields.get('evidence', []))} evidence, {records.get('checked', 0)} records and "
        f"{audit.get('entries', 0)} audit entries are as they were recorded"
    )


def findings_text(fields: Fields) -> str:
    """Returns what a verification found with every hash, to be compared with what others noted."""
    lines = [findings(fields), ""]
    for one in fields.get("evidence", []):
        lines += [str(one.get("path")), f"  recorded  SHA-256  {one.get('sha256_recorded')}"]
        lines.append(f"  now       SHA-256  {one.get('sha256_now') or 'cannot be read'}")
        for name, value in one.get("also", {}).items():
            lines.append(f"  now       {_TITLES.get(name, name):<7}  {value}")
    audit = fields.get("audit", {})
    lines += ["", f"Audit log, {audit.get('entries', 0)} entries", f"  head  {audit.get('head')}"]
    if "head_in_chain" in audit:
        lines.append(
            f"  the head that was noted is {'' if audit['head_in_chain'] else 'NOT '}in it"
        )
    return "\n".join(lines)


_TITLES = {"md5": "MD5", "sha1": "SHA-1"}
