"""Descriptions of targets from the truth of rendered footage, in place of a language model's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from engine.core.errors import BadInputError
from engine.lab.datasets.dataset import Video
from engine.lab.datasets.rendered_footage import RenderedVideo, rendered_videos
from engine.lab.datasets.ubnormal import ObjectSpans
from engine.lab.dialogue_corpus.answer_words import ACTIONS
from engine.lab.dialogue_corpus.building.sightings import Sighting
from engine.lab.dialogue_corpus.wording import SpanTruth, noun_of


class VideoLabels:
    """Labels of one rendered video.

    Args:
        rendered: the video with its truth.
        objects: the object id of each row of its tracks; the target of a sighting is a row.
    """

    def __init__(self, rendered: RenderedVideo, objects: list[int]) -> None:
        self._rendered = rendered
        self._targets = {target.number: target for target in rendered.targets}
        self._objects = objects

    @property
    def surroundings(self) -> str:
        """What the scene is, in a word or two."""
        return self._rendered.layout

    def description(self, sighting: Sighting) -> dict[str, str]:
        """Returns what a language model would be asked for: kind, appearance, action.

        Raises:
            BadInputError: the truth knows no such target.
        """
        target = self._targets.get(self._objects[sighting.target])
        if target is None:
            raise BadInputError(
                f"no label of object {self._objects[sighting.target]}", self._rendered.path,
                "render again",
            )  # fmt: skip
        action = target.class_at(sighting.frame)
        truth = SpanTruth(action, "", self._rendered.grey, 0, target.kind, target.appearance)
        return {
            "kind": target.kind,
            "appearance": noun_of(truth),
            "action": ACTIONS.get(action, action or "out of view"),
        }


class TruthLabels:
    """Labels of the rendered videos of some splits.

    Args:
        root: a folder that `synth` wrote.
        splits: the splits whose videos are described.

    Raises:
        BadInputError: it is no such folder.
    """

    def __init__(self, root: Path, splits: tuple[str, ...]) -> None:
        self._videos: Mapping[str, RenderedVideo] = {
            video.name: video for split in splits for video in rendered_videos(root, split)
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
