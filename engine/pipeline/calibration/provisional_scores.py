"""Scores while a run is in progress: from a calibration that grows and knows the past only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.core.settings import SceneSettings
from engine.detectors.scene.scene_calibration import SceneCalibration
from engine.detectors.scene.scene_channel import SceneChannel
from engine.detectors.scene.scene_statistics import SceneLearner
from engine.motion.analysis_plan import AnalysisPlan
from engine.motion.motion_maps import MotionMaps


class ProvisionalScores:
    """Scores each chunk with what is known when it is measured.

    The final calibration is learned at the end and all scores are derived again; until then these
    stand in for them. They depend on the chunks before alone, so a resumed run that learns its
    stored chunks first goes on as an uninterrupted one.
    """

    def __init__(
        self, plan: AnalysisPlan, settings: SceneSettings, calibration: SceneCalibration | None
    ) -> None:
        """Starts with nothing known.

        Args:
            plan: of the run.
            settings: of the scene channel.
            calibration: from normal footage; None lets one grow on the evidence itself.
        """
        grid = plan.grid
        self._plan = plan
        self._settings = settings
        self._fixed = calibration
        self._learner = SceneLearner((grid.rows, grid.columns), grid.cell, plan.rate, settings)

    def learn(self, maps: MotionMaps, seconds: NDArray[np.float64]) -> None:
        """Learns from a chunk: raw maps and stream times float64 [n]."""
        if self._fixed is None:
            self._learner.learn(maps, seconds)

    def score(self, maps: MotionMaps, seconds: NDArray[np.float64]) -> NDArray[np.float32]:
        """Learns from a chunk and returns its provisional scores, float32 [n], 0..1."""
        self.learn(maps, seconds)
        calibration = self._fixed or SceneCalibration("self", self._learner.statistics)
        cell, rate = self._plan.grid.cell, self._plan.rate
        channel = SceneChannel(calibration, cell, rate, self._settings)
        return np.concatenate([part.scores for part in channel.score([(maps, seconds)])])
