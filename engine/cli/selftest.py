"""`selftest`: does this installation compute what it computed when it was made?"""

from __future__ import annotations

from dataclasses import asdict

from engine.cli.output import Json, cancellable, print_json, print_line, shown_progress
from engine.core.errors import CheckFailedError


def command(as_json: Json = False) -> None:
    """Analyses the sample with every channel and compares with what is on record.

    Of an installed application every file is compared with its manifest. Files of packs, prompts
    and default settings are compared by hash; scores may differ by 0.001, as they do between
    processors; events and facts must be the same. Exit code 1 when anything differs.

    main.py selftest
    """
    from engine.selftest.self_test import self_test

    with cancellable() as cancel, shown_progress() as progress:
        checks = self_test(cancel, progress)
    bad = [check for check in checks if not check.ok]
    if as_json:
        print_json({"ok": not bad, "checks": [asdict(check) for check in checks]})
    else:
        for check in checks:
            print_line(f"{'good' if check.ok else 'BAD '}  {check.name}: {check.detail}")
    if bad:
        what = f"{len(bad)} of {len(checks)} checks differ from what is on record"
        raise CheckFailedError(what, bad[0].name, "install again, or say so beside every result")
