"""The raw maps that a case holds of a run, channel by channel."""

from __future__ import annotations

from collections.abc import Iterator

from engine.case import Case
from engine.core.channels import SCENE, TEXT
from engine.core.errors import BadInputError
from engine.core.progress import CancelToken
from engine.detectors.scene.observation import MotionBlock
from engine.detectors.text.text_maps import TextMaps, silence_masked
from engine.motion.analysis_plan import AnalysisPlan
from engine.motion.motion_maps import MotionMaps
from engine.pipeline.channels.raw_maps import RawMaps
from engine.pipeline.recipe import Recipe


def stored_maps(
    case: Case, run_id: int, plan: AnalysisPlan, recipe: Recipe, cancel: CancelToken | None = None
) -> RawMaps:
    """Returns the stored maps of a run, empty where the region mask hides a cell.

    Args:
        case: holds the run.
        run_id: the run.
        plan: of the run.
        recipe: names the channels and the region mask.
        cancel: looked at between chunks.
    """
    token, grid = cancel or CancelToken(), plan.grid

    def motion() -> Iterator[MotionBlock]:
        yield from recipe.mask.apply(motion_blocks(case, run_id, plan, token), grid)

    def text() -> Iterator[TextMaps]:
        maps = _text_blocks(case, run_id, plan)
        yield from silence_masked(maps, recipe.mask.cells(grid)) if recipe.mask else maps

    has_text = TEXT in recipe.settings.channels
    return RawMaps(motion, text if has_text else None, recipe.prompts)


def motion_blocks(
    case: Case, run_id: int, plan: AnalysisPlan, cancel: CancelToken
) -> Iterator[MotionBlock]:
    """Yields the motion maps of a run's chunks with their stream times, without region mask.

    Raises:
        BadInputError: a chunk does not hold what the plan says.
        CancelledError: the user stopped.
    """
    for chunk in case.chunks.stream(run_id, SCENE):
        cancel.check()
        start, stop = plan.span(chunk.span.seq)
        maps = MotionMaps.decode(chunk.raw)
        if len(maps) != stop - start:
            raise BadInputError(
                f"chunk {chunk.span.seq} holds {len(maps)} frames instead of {stop - start}",
                case.path,
                "verify the case; a recovery copy may help",
            )
        yield maps, plan.seconds[start:stop]


def _text_blocks(case: Case, run_id: int, plan: AnalysisPlan) -> Iterator[TextMaps]:
    cells = plan.grid.rows, plan.grid.columns
    for chunk in case.chunks.stream(run_id, TEXT):
        maps = TextMaps.decode(chunk.raw)
        if maps.logits.shape[1:] != cells:
            raise BadInputError(
                f"text maps {chunk.span.seq} of another size than the plan's",
                case.path,
                "verify the case; a recovery copy may help",
            )
        yield maps
