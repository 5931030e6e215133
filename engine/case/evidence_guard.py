"""The evidence guard: nothing is written beside evidence unless the examiner insists."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from engine.core.errors import BadInputError


def refuse_beside_evidence(output: Path, evidence: Iterable[Path], insist: bool) -> Path | None:
    """Refuses an output that would lie beside evidence.

    That is in a folder that directly contains evidence (of a folder of images: the folder it is
    in, and so itself), or anywhere below one. Links are followed; of a link to evidence, the
    folder of the link and the folder of its target count. The parent of a mounted medium is not
    part of that medium and does not count.

    Args:
        output: the case folder, report or export about to be written; need not exist.
        evidence: paths of the evidence of the case, without copies inside the case.
        insist: whether the examiner insists; the caller then records the folder returned.

    Returns:
        None when the output lies elsewhere; otherwise the folder, which was insisted on.

    Raises:
        BadInputError: the output lies beside evidence and the examiner does not insist, or a path
            is a circle of links.
    """
    target = _resolve(output)
    ancestors = [target, *target.parents]
    for path in evidence:
        for folder in _containing_folders(path):
            if any(_is_same(folder, ancestor) for ancestor in ancestors):
                if insist:
                    return folder
                raise BadInputError(
                    "output would lie beside evidence",
                    folder,
                    "choose a folder elsewhere, or insist with --beside-evidence",
                )
    return None


def _containing_folders(evidence: Path) -> list[Path]:
    target, link_folder = _resolve(evidence), _resolve(evidence.absolute().parent)
    if target.is_dir():
        return [target] if os.path.ismount(target) else [target, link_folder, target.parent]
    return [link_folder, target.parent]


def _resolve(path: Path) -> Path:
    try:
        return path.resolve()
    except (RuntimeError, OSError) as error:
        raise BadInputError("a path that leads nowhere", path, "give another path") from error


def _is_same(folder: Path, other: Path) -> bool:
    # A file system may tell neither case nor two mounts of one folder apart; its ids do.
    try:
        return folder == other or folder.samefile(other)
    except OSError:
        return False
