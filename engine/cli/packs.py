"""`packs`: lists, checks and imports packs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.output import Json, cancellable, print_json, print_line, shown_progress
from engine.core.build import program
from engine.core.errors import CheckFailedError

if TYPE_CHECKING:
    from engine.packs.pack_listing import ListedPack
    from engine.packs.pack_memory import Machine

_HELP = """Lists, checks and imports model packs.

A pack is a folder with trained weights, prompts and a manifest (pack.json) that says where each
part comes from, under which licence, what memory it needs, and the hash of every file. `compact`
ships with Sightline; others come from your lab or from `main.py train`. docs/packs.md tells how to
make one.

    main.py packs list

    main.py packs verify compact

    main.py packs import ~/downloads/lab-pack.zip

Then: main.py analyze VIDEO --case NAME.case --channels scene,text --pack lab-pack
"""


def build() -> typer.Typer:
    """Makes the commands below `packs`."""
    app = typer.Typer(help=_HELP, add_completion=False, rich_markup_mode=None)
    app.command("list")(list_command)
    app.command("verify")(verify_command)
    app.command("import")(import_command)
    return app


def list_command(as_json: Json = False) -> None:
    """Lists all packs with licence, size, and the memory they need against the memory there.

    Packs lie in resources/packs and in your data folder (another one: SIGHTLINE_PACKS). A pack
    that cannot be used is listed with the reason.
    """
    from engine.packs.pack_listing import list_packs, packs_json
    from engine.packs.pack_memory import this_machine

    if as_json:
        print_json(packs_json())
        return
    machine, packs = this_machine(), list_packs()
    for listed in packs:
        _print(listed, machine)
    if not packs:
        print_line(f"no packs; import one: {program()} packs import PATH")


def verify_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A pack's name, or its folder.")],
    as_json: Json = False,
) -> None:
    """Hashes every file of a pack and of its base weights, and reads its prompts.

    Exit code 1 when anything differs from the manifest; each difference is a line.
    """
    from engine.packs.pack_listing import check_pack

    with cancellable() as cancel, shown_progress() as progress:
        checked = check_pack(name, cancel, progress)
    if as_json:
        print_json(checked.as_json())
    else:
        for file in checked.files:
            print_line(f"{'good' if file.error is None else 'BAD '}  {file.sha256}  {file.name}")
        for problem in checked.problems:
            print_line(problem)
    if not checked.ok:
        count = len(checked.problems)
        what = f"the pack differs from its manifest in {count} place{'' if count == 1 else 's'}"
        raise CheckFailedError(what, checked.folder, "import it again")
    if not as_json:
        print_line(f"{checked.name} {checked.version} is what its manifest says")


def import_command(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A pack's folder, zip or tar.")],
    as_json: Json = False,
) -> None:
    """Copies a pack into your data folder, checking every file before it takes its name.

    The original stays as it is. A pack with a wrong hash, a pickle, a link, or a file that its
    manifest does not name is refused, and nothing of it stays.
    """
    from engine.packs.pack_import import import_pack
    from engine.packs.pack_listing import ListedPack
    from engine.packs.pack_memory import this_machine

    with cancellable() as cancel, shown_progress() as progress:
        pack = import_pack(path, cancel, progress)
    listed, machine = ListedPack(pack.name, pack.folder, False, pack, None), this_machine()
    if as_json:
        print_json(listed.as_json(machine))
        return
    _print(listed, machine)
    print_line(f"use it with: {program()} analyze VIDEO --case NAME.case --pack {pack.name}")


def _print(listed: ListedPack, machine: Machine) -> None:
    from engine.packs.pack_folders import weights_folders
    from engine.packs.pack_memory import memory_text, size_text

    pack, user_weights = listed.pack, weights_folders()[-1]
    if pack is None:
        print_line(f"{listed.name}  cannot be used")
        print_line(f"    {'' if listed.error is None else listed.error.line()}")
        return
    languages = ", ".join(pack.languages)
    print_line(
        f"{pack.name} {pack.version}  {pack.licence} · {pack.backbone.name} · {languages} · "
        f"{size_text(pack.bytes)}"
    )
    print_line(f"    {memory_text(pack.memory, machine)}")
    for name in pack.missing_base:
        print_line(f"    base weights {name} are missing: put their folder into {user_weights}")
    print_line(f"    {'ships with Sightline' if listed.shipped else pack.folder}")
