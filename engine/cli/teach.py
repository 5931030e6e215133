"""`teach`: marks become a variant of the pack, kept in the case."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli.case_options import CaseOption, open_to_read
from engine.cli.output import Json, cancellable, print_json, print_line, shown_progress
from engine.core.build import program
from engine.core.errors import BadInputError, CheckFailedError


def command(
    case: CaseOption,
    marks: Annotated[
        Path | None,
        typer.Option("--marks", metavar="FILE", help="Marks in JSON (docs/teaching.md)."),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="Name of the new variant.")
    ] = None,
    repeat: Annotated[
        str | None, typer.Option("--repeat", metavar="NAME", help="Teach it again and compare.")
    ] = None,
    discard: Annotated[
        str | None, typer.Option("--discard", metavar="NAME", help="Throw a variant away.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Teaches the detector by marks in a few frames; lists the variants when none are given.

    The pack stays as it is. `analyze VIDEO --case DIR --variant NAME` uses a variant.
    """
    if (marks is None) != (name is None):
        raise BadInputError("--marks and --name belong together", "", "give both")
    if (marks is not None) + (repeat is not None) + (discard is not None) > 1:
        raise BadInputError("--marks, --repeat and --discard exclude each other", "", "give one")
    if marks is not None and name is not None:
        _teach(case, marks, name, as_json)
    elif repeat is not None:
        _repeat(case, repeat, as_json)
    elif discard is not None:
        _discard(case, discard, as_json)
    else:
        _list(case, as_json)


def _teach(case: Path, marks: Path, name: str, as_json: bool) -> None:
    from engine.case import Case
    from engine.few_shot.marks import load_marks
    from engine.few_shot.teach_variant import teach

    found = load_marks(marks)
    with (
        cancellable() as cancel,
        shown_progress() as progress,
        Case.open(case.absolute(), write=True) as opened,
    ):
        taken = teach(opened, found, name, cancel, progress)
    said = taken.as_json()
    if as_json:
        print_json(said)
        return
    print_line(f"{name}: taught from {len(found)} mark{'' if len(found) == 1 else 's'}")
    for one in said["preview"]:
        print_line(
            f"  evidence {one['evidence_id']}: {one['events_before']} events before, "
            f"{one['events_after']} after; highest score {one['max_before']:.2f}, "
            f"then {one['max_after']:.2f}"
        )
    for warning in said["warnings"]:
        print_line(f"  warning: {warning}")
    print_line(f"next: {program()} analyze VIDEO --case {case} --variant {name!r}")


def _repeat(case: Path, name: str, as_json: bool) -> None:
    from engine.case import Case
    from engine.few_shot.teach_variant import repeat_teaching

    with (
        cancellable() as cancel,
        shown_progress() as progress,
        Case.open(case.absolute(), write=True) as opened,
    ):
        same = repeat_teaching(opened, name, cancel, progress)
    if as_json:
        print_json({"name": name, "same": same})
    elif same:
        print_line(f"{name}: the same bit for bit")
    if not same:
        raise CheckFailedError(
            f"{name} is not what its marks teach here", "", "compare machine and version"
        )


def _discard(case: Path, name: str, as_json: bool) -> None:
    from engine.case import Case

    with Case.open(case.absolute(), write=True) as opened:
        row = opened.variants.named(name)
        with opened.change() as change:
            change.variants.set_removed(row.id, True)
    if as_json:
        print_json({"discarded": name})
    else:
        print_line(f"{name}: thrown away; runs that used it stay what they are")


def _list(case: Path, as_json: bool) -> None:
    from engine.few_shot.teach_variant import variant_json

    with open_to_read(case) as opened:
        found: list[dict[str, Any]] = [variant_json(row) for row in opened.variants.all()]
    if as_json:
        print_json({"variants": found})
        return
    print_line(f"{len(found)} variant{'' if len(found) == 1 else 's'}")
    for one in found:
        print_line(f"  {one['name']}: {one['marks']} marks ({', '.join(one['names'])})")
