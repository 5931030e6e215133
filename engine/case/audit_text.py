"""Audit entries as text for people."""

from __future__ import annotations

import json

from engine.case.store.audit import AuditEntry

_OMITTED = ("local_offset", "version")
MAX_CHARACTERS = 100
"""Characters of details in a list, a choice: about what one line of the window has room for."""


def details(entry: AuditEntry, max_characters: int = MAX_CHARACTERS) -> str:
    """Returns the parameters of an audit entry on one line.

    Args:
        entry: of the log; its content is not trusted.
        max_characters: of the text; the rest is left out with an ellipsis.
    """
    try:
        params = json.loads(entry.params_json)
    except ValueError:
        return entry.params_json[:max_characters]
    if not isinstance(params, dict):
        return str(params)[:max_characters]
    pairs = [f"{key}={_shorten(value)}" for key, value in params.items() if key not in _OMITTED]
    text = " ".join(pairs)
    return text if len(text) <= max_characters else text[: max_characters - 1] + "…"


def _shorten(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    is_hash = len(text) == 64 and all(char in "0123456789abcdef" for char in text)
    return f"{text[:12]}…" if is_hash else text
