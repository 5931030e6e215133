"""The detector of the text channel: its models, and the cache of its features."""

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
from engine.detectors.text.text_model import TextModel
from engine.detectors.text.text_recipe import TextRecipe
from engine.detectors.text.text_setup import open_text_model
from engine.media import Source, open_source
from engine.motion.analysis_plan import AnalysisPlan
from engine.packs.pack import Pack

_FEATURES_VERSION = 1
"""Version of how features are computed and stored; a new one leaves older files alone."""


@dataclass(frozen=True, eq=False)
class TextDetector:
    """The models of the text channel for one analysis.

    Attributes:
        recipe: names the pack, the prompts and the device.
        model: the pack's models with the prompts.
        cache: folder for projected features; None stores none.
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
        """Returns the cached features of one stream; None without a cache.

        Args:
            sha256: of the footage.
            stream: number of its stream.
            plan: what is analysed.
            motion: how motion is measured, which is an input of the backbone.
            camera: learned from normal footage; usual speed and height of people decide features.
        """
        if self.cache is None:
            return None
        return FeatureStore(
            self.cache,
            {
                "features": _FEATURES_VERSION,
                "footage": sha256,
                "stream": stream,
                "plan": [len(plan), plan.chunk, int(plan.frames[-1]), repr(plan.rate)],
                "grid": list(asdict(plan.grid).values()),
                "motion": {name: repr(value) for name, value in asdict(motion).items()},
                "camera": [] if camera is None else [repr(camera.people), repr(camera.usual)],
                **self.recipe.feature_settings(),
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
        """Opens a meter with a decoder of its own for an open source.

        Raises:
            MediaError: the source cannot be opened once more.
        """
        stream = source.info.number
        with open_source(source.path, stream=stream, fps=fps, cache_bytes=0) as own_source:
            yield TextMeter(own_source, plan, self.model, store, camera)

    def cached_maps(
        self, source: Source, plan: AnalysisPlan, store: FeatureStore | None
    ) -> list[TextMaps] | None:
        """Reads the maps of a whole stream from cached features; None when some are missing."""
        if store is None or not all(chunk in store for chunk in range(plan.chunks)):
            return None
        meter = TextMeter(source, plan, self.model, store)
        maps = []
        for chunk in range(plan.chunks):
            features = store.load(chunk)
            if features is None:
                return None
            maps.append(meter.read(features).maps)
        return maps


def open_text(
    cache: Path | None,
    recipe: TextRecipe | None,
    variant: bytes | None = None,
    pack: Pack | None = None,
) -> TextDetector | None:
    """Opens the text channel of a recipe; None when it has none.

    Args:
        cache: folder of a case for what may be deleted; None stores no features.
        recipe: of the text channel.
        variant: an encoded `engine.tvad.adaptation.Adaptation`; None or empty for the pack as it
            is.
        pack: the pack that the recipe names, where it is known already.

    Raises:
        BadInputError: the pack is not the one that the recipe names, or a prompt cannot be read.
        ResourceError: the pack, its base weights or the device are missing.
    """
    if recipe is None:
        return None
    model = open_text_model(recipe, variant or None, pack)
    return TextDetector(recipe, model, None if cache is None else cache / "features")
