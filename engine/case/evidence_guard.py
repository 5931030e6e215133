"""Requirement R1: nothing is written beside evidence unless the examiner insists."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from engine.core.errors import BadInputError


def refuse_beside_evidence(output: Path, evidence: Iterable[Path], insist: bool) -> Path | None:
    """Decides whether an output would lie where evidence lies.

    That is in a folder that directly holds evidence (of a folder of images: the folder it lies
    in, and so itself), or anywhere below one. Links are followed; of a link to evidence, the
    folder of the link and the folder of its target count. The parent of a mounted medium is not
    part of that medium and does not count.

    Args:
        output: the case folder, report or export about to be written; need not exist.
        evidence: where evidence of the case lies, but for copies inside the case.
        insist: whether the examiner insists; the caller then records the folder returned.

    Returns:
        None when the output lies elsewhere; otherwise the folder, which was insisted on.

    Raises:
        BadInputError: the output lies there and the examiner does not insist, or a path is a
            circle of links.
    """
    target = _resolved(output)
    ancestors = [target, *target.parents]
    for path in evidence:
        for folder in _holders(path):
            if any(_same(folder, ancestor) for ancestor in ancestors):
                if insist:
                    return folder
                raise BadInputError(
                    "output would lie beside evidence",
                    folder,
                    "choose a folder elsewhere, or insist with --beside-evidence",
                )
    return None


def _holders(evidence: Path) -> list[Path]:
    named, true = evidence.absolute(), _resolved(evidence)
    if true.is_dir():
        return [true] if os.path.ismount(true) else [true, _resolved(named.parent), true.parent]
    return [_resolved(named.parent), true.parent]


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (RuntimeError, OSError) as error:
        raise BadInputError("a path that leads nowhere", path, "give another path") from error


def _same(one: Path, other: Path) -> bool:
    # A file system may tell neither case nor two mounts of one folder apart; its ids do.
    try:
        return one == other or one.samefile(other)
    except OSError:
        return False
