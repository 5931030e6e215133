"""The text channel ready for use: its models, and where it keeps features."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.core.settings import MotionSettings
from engine.detectors.text.feature_store import FeatureStore
from engine.detectors.text.text_calibration import TextCalibration
from engine.detectors.text.text_maps import TextMaps
from engine.detectors.text.text_meter import TextMeter
from engine.detectors.text.text_model import TextModel, open_text_model
from engine.detectors.text.text_recipe import TextRecipe
from engine.media import Source, open_source
from engine.motion.analysis_plan import AnalysisPlan
from engine.pipeline.variant import Taught

_FEATURES = 1
"""Version of how features are computed and kept; a new one leaves older files alone."""


@dataclass(frozen=True, eq=False)
class TextUse:
    """The text channel of one analysis.

    Attributes:
        recipe: what it was asked.
        model: the pack's models with the prompts.
        cache: folder for projected features; None keeps none.
    """

    recipe: TextRecipe
    model: TextModel
    cache: Path | None = None

    def store(
        self,
        sha256: str,
        stream: int,
        plan: AnalysisPlan,
        motion: MotionSettings,
        camera: TextCalibration | None = None,
    ) -> FeatureStore | None:
        """Returns where the features of one stream are kept; None when none are.

        Args:
            sha256: of the footage.
            stream: number of its stream.
            plan: what is analysed.
            motion: how motion is measured, which the backbone sees.
            camera: from normal footage; what it knows of the camera decides features as well.
        """
        if self.cache is None:
            return None
        return FeatureStore(
            self.cache,
            {
                "features": _FEATURES,
                "footage": sha256,
                "stream": stream,
                "plan": [len(plan), plan.chunk, int(plan.frames[-1]), repr(plan.rate)],
                "grid": list(asdict(plan.grid).values()),
                "motion": {name: repr(value) for name, value in asdict(motion).items()},
                "camera": [] if camera is None else [repr(camera.people), repr(camera.usual)],
                **self.recipe.measuring(),
            },
        )

    def pack_calibration(self) -> TextCalibration:
        """Returns the pack's own calibration, which knows no camera."""
        return TextCalibration.of_pack(self.model.limit, self.model.slope)

    @contextmanager
    def meter(
        self,
        source: Source,
        plan: AnalysisPlan,
        fps: float | None,
        store: FeatureStore | None,
        camera: TextCalibration | None = None,
    ) -> Iterator[TextMeter]:
        """Gives a meter with a decoder of its own for an open source.

        Raises:
            MediaError: the source cannot be opened once more.
        """
        with open_source(source.path, stream=source.info.number, fps=fps, cache_bytes=0) as own:
            yield TextMeter(own, plan, self.model, store, camera)

    def kept_maps(
        self, source: Source, plan: AnalysisPlan, store: FeatureStore | None
    ) -> list[TextMaps] | None:
        """Reads the maps of a whole stream from kept features; None when some are missing."""
        if store is None or not all(store.holds(chunk) for chunk in range(plan.chunks)):
            return None
        meter = TextMeter(source, plan, self.model, store)
        found = []
        for chunk in range(plan.chunks):
            kept = store.load(chunk)
            if kept is None:
                return None
            found.append(meter.read(kept).maps)
        return found


def open_text(
    cache: Path | None, recipe: TextRecipe | None, taught: Taught | None = None
) -> TextUse | None:
    """Opens the text channel of a recipe; None when it has none.

    Args:
        cache: folder of a case for what may be deleted; None keeps no features.
        recipe: of the text channel.
        taught: what a variant was taught; None for the pack as it is.

    Raises:
        BadInputError: the pack is not the one that the recipe names, or a prompt cannot be read.
        ResourceError: the pack, its base weights or the device are missing.
    """
    if recipe is None:
        return None
    model = open_text_model(recipe, None if taught is None else taught.decoder or None)
    return TextUse(recipe, model, None if cache is None else cache / "features")
