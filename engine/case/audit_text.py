"""Entries of the audit log in words, for people."""

from __future__ import annotations

import json

from engine.case.store.audit import AuditEntry

_ALWAYS = ("local_offset", "version")
LONGEST = 100
"""Letters of details in a list."""


def details(entry: AuditEntry, longest: int = LONGEST) -> str:
    """Returns what an entry says beside time, actor, action and object, on one line.

    Args:
        entry: of the log; what it holds is not trusted.
        longest: letters at most; the rest is left out with an ellipsis.
    """
    try:
        params = json.loads(entry.params_json)
    except ValueError:
        return entry.params_json[:longest]
    if not isinstance(params, dict):
        return str(params)[:longest]
    pairs = [f"{key}={_short(value)}" for key, value in params.items() if key not in _ALWAYS]
    text = " ".join(pairs)
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    is_hash = len(text) == 64 and all(char in "0123456789abcdef" for char in text)
    return f"{text[:12]}…" if is_hash else text
