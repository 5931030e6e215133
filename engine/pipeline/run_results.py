"""Results of a run with the calibrations that they rest on: derived together, stored together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from engine.case import Case, Change
from engine.core.progress import CancelToken, ProgressCallback
from engine.motion.analysis_plan import AnalysisPlan
from engine.pipeline.calibration.run_calibrations import KnownCalibrations, store_calibrations
from engine.pipeline.channels.raw_maps import RawMaps
from engine.pipeline.heat_spool import HeatSpool
from engine.pipeline.recipe import Recipe
from engine.pipeline.results import Results, derive_results
from engine.pipeline.variant import variant_weights


@dataclass(frozen=True, eq=False)
class RunResults:
    """Results of a run that are to be stored.

    Attributes:
        results: regions, trajectories, events and scores.
        known: the calibrations that they rest on.
        heat: heatmaps of every channel.
    """

    results: Results
    known: KnownCalibrations
    heat: HeatSpool

    def store(
        self,
        change: Change,
        recipe: Recipe,
        run_id: int,
        evidence_id: int,
        changes: dict[str, Any] | None = None,
    ) -> int:
        """Stores calibrations and results, and returns the id of the derivation.

        Args:
            change: of the case.
            recipe: that the results were derived with.
            run_id: of the run.
            evidence_id: of its evidence.
            changes: what a recalibration changed in the recipe of the run.
        """
        known = store_calibrations(change, self.known, recipe.calibration, run_id, evidence_id)
        return change.results.replace(
            run_id,
            scores=self.results.scores,
            regions=self.results.regions,
            trajectories=self.results.trajectories,
            events=self.results.events,
            calibrations=list(known.ids.values()),
            heat=self.heat.blocks(),
            settings=changes,
        )


def derive_run(
    case: Case,
    recipe: Recipe,
    raw: RawMaps,
    known: KnownCalibrations,
    plan: AnalysisPlan,
    cancel: CancelToken,
    progress: ProgressCallback,
) -> RunResults:
    """Derives the results of a run, with the motion rules of its variant.

    Args:
        case: holds the variant.
        recipe: of the results.
        raw: the stored maps.
        known: the calibrations of every channel that runs.
        plan: what was analysed.
        cancel: looked at between blocks.
        progress: is given the frames done.

    Raises:
        BadInputError: the case does not hold the variant, or it is damaged.
        CancelledError: the user stopped.
    """
    heat = HeatSpool(plan)
    rules = variant_weights(case, recipe).motion_rules
    calibrations = replace(known.calibrations, motion_rules=rules)
    results = derive_results(
        raw, calibrations, plan, recipe.settings, cancel, progress, on_block=heat.add
    )
    return RunResults(results, known, heat)
