"""What rendered footage says of its targets itself, in the place of a language model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from engine.core.errors import BadInputError
from engine.dialogue.answer_parsing import ACTIONS
from engine.lab.datasets.dataset import Video
from engine.lab.datasets.rendered import RenderedVideo, rendered_videos
from engine.lab.datasets.ubnormal import ObjectSpans
from engine.lab.dialogue_corpus.building.sightings import Sighting
from engine.lab.dialogue_corpus.wording import Truth, noun_of


class VideoLabels:
    """Labels of one rendered video.

    Args:
        rendered: with its truth.
        objects: the object of each row of its tracks; a sighting's target is a row.
    """

    def __init__(self, rendered: RenderedVideo, objects: list[int]) -> None:
        self._rendered = rendered
        self._targets = {one.number: one for one in rendered.targets}
        self._objects = objects

    @property
    def place(self) -> str:
        """What the place is, in a word or two."""
        return self._rendered.layout

    def said(self, one: Sighting) -> dict[str, str]:
        """Returns what a language model would be asked for: kind, appearance, action.

        Raises:
            BadInputError: the truth knows no such target.
        """
        target = self._targets.get(self._objects[one.target])
        if target is None:
            raise BadInputError(
                f"no label of object {self._objects[one.target]}", self._rendered.path,
                "render again",
            )  # fmt: skip
        doing = target.class_at(one.frame)
        truth = Truth(doing, "", self._rendered.grey, 0, target.kind, target.appearance)
        return {
            "kind": target.kind,
            "appearance": noun_of(truth),
            "action": ACTIONS.get(doing, doing or "out of view"),
        }


class Labels:
    """Labels of the rendered videos of some splits.

    Args:
        root: a folder that `synth` wrote.
        splits: whose videos are described.

    Raises:
        BadInputError: it is no such folder.
    """

    def __init__(self, root: Path, splits: tuple[str, ...]) -> None:
        self._videos: Mapping[str, RenderedVideo] = {
            one.name: one for split in splits for one in rendered_videos(root, split)
        }

    def of(self, video: Video) -> VideoLabels:
        """Returns the labels of a video.

        Raises:
            BadInputError: there are none.
        """
        if video.name not in self._videos:
            raise BadInputError("a video without labels", video.path, "render it, or use --pack")
        annotation = video.annotation
        rows = annotation.objects_of_rows if isinstance(annotation, ObjectSpans) else []
        return VideoLabels(self._videos[video.name], rows)
