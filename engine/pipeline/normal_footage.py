"""Normal footage: which files it is, and their hashes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.core.errors import BadInputError
from engine.core.progress import CancelToken
from engine.media import hash_evidence
from engine.media.image_folder import image_files


@dataclass(frozen=True)
class NormalFootage:
    """A piece of normal footage.

    Attributes:
        path: a video, or a folder of images.
        sha256: its hash, as for evidence.
    """

    path: Path
    sha256: str

    def as_source(self) -> dict[str, Any]:
        """Returns JSON values that name it as a source of a calibration."""
        return {"path": str(self.path), "sha256": self.sha256}


def list_normal_footage(paths: Sequence[Path]) -> list[Path]:
    """Lists normal footage: videos, folders of images, and the contents of folders of such folders.

    Raises:
        BadInputError: a path is missing or a folder holds no footage.
    """
    footage: list[Path] = []
    for path in paths:
        if not path.is_dir() or _has_images(path):
            footage.append(path)
            continue
        inner = sorted(
            folder for folder in path.iterdir() if folder.is_dir() and _has_images(folder)
        )
        if not inner:
            raise BadInputError(
                "no footage in the folder", path, "give a video, images or a folder of such folders"
            )
        footage += inner
    return footage


def _has_images(folder: Path) -> bool:
    try:
        return bool(image_files(folder))
    except BadInputError:
        return False


def hash_normal_footage(paths: Sequence[Path], cancel: CancelToken) -> list[NormalFootage]:
    """Hashes normal footage; raises as `list_normal_footage` and `hash_evidence` do."""
    return [
        NormalFootage(path.absolute(), hash_evidence(path, cancel=cancel)["sha256"])
        for path in list_normal_footage(paths)
    ]
