"""`teach`: marks become a variant of the pack, kept in the case."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli.case_options import CaseOption, open_to_read, open_to_work
from engine.cli.output import Json, print_json, print_line
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
    from engine.few_shot.marks import load_marks
    from engine.few_shot.teach_variant import teach

    targets = load_marks(marks)
    with open_to_work(case) as (opened, cancel, progress):
        result = teach(opened, targets, name, cancel, progress).as_json()
    if as_json:
        print_json(result)
        return
    print_line(f"{name}: taught from {len(targets)} mark{'' if len(targets) == 1 else 's'}")
    for row in result["preview"]:
        print_line(
            f"  evidence {row['evidence_id']}: {row['events_before']} events before, "
            f"{row['events_after']} after; highest score {row['max_before']:.2f}, "
            f"then {row['max_after']:.2f}"
        )
    for warning in result["warnings"]:
        print_line(f"  warning: {warning}")
    print_line(f"next: {program()} analyze VIDEO --case {case} --variant {name!r}")


def _repeat(case: Path, name: str, as_json: bool) -> None:
    from engine.few_shot.teach_variant import repeat_teaching

    with open_to_work(case) as (opened, cancel, progress):
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
        row = opened.variants.by_name(name)
        with opened.change() as change:
            change.variants.set_removed(row.id, True)
    if as_json:
        print_json({"discarded": name})
    else:
        print_line(f"{name}: thrown away; runs that used it stay what they are")


def _list(case: Path, as_json: bool) -> None:
    from engine.few_shot.teach_variant import variant_json

    with open_to_read(case) as opened:
        variants: list[dict[str, Any]] = [variant_json(row) for row in opened.variants.all()]
    if as_json:
        print_json({"variants": variants})
        return
    print_line(f"{len(variants)} variant{'' if len(variants) == 1 else 's'}")
    for variant in variants:
        names = ", ".join(variant["names"])
        print_line(f"  {variant['name']}: {variant['marks']} marks ({names})")
