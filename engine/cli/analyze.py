"""`analyze`: videos into scored evidence of a case."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.channel_options import (
    Channels,
    Device,
    PackName,
    PromptFile,
    chosen_channels,
    chosen_text,
)
from engine.cli.output import Json, cancellable, print_json, print_line, shown_progress
from engine.core.errors import (
    BadInputError,
    CancelledError,
    CheckFailedError,
    ResourceError,
    SightlineError,
)
from engine.core.progress import CancelToken, ProgressCallback
from engine.core.settings import AnalysisSettings
from engine.core.times import parse_span

if TYPE_CHECKING:
    from engine.case import Case, RunRow
    from engine.detectors.text.text_detector import TextUse
    from engine.detectors.text.text_recipe import TextRecipe
    from engine.pipeline.recipe import Recipe
    from engine.pipeline.run import Resuming


def command(
    videos: Annotated[
        list[Path] | None,
        typer.Argument(metavar="VIDEO...", help="Video files or folders of numbered images."),
    ] = None,
    case: Annotated[
        Path | None, typer.Option("--case", metavar="DIR", help="The case folder; made when new.")
    ] = None,
    normal: Annotated[
        list[Path] | None,
        typer.Option("--normal", metavar="PATH", help="Footage of this camera known as normal."),
    ] = None,
    normal_span: Annotated[
        list[str] | None,
        typer.Option("--normal-span", metavar="START..END", help="A span known as normal."),
    ] = None,
    channels: Channels = "scene",
    pack: PackName = None,
    prompts: PromptFile = None,
    device: Device = None,
    variant: Annotated[
        str | None,
        typer.Option("--variant", metavar="NAME", help="A variant that marks taught in this case."),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option("--ignore", metavar="'X,Y X,Y X,Y'", help="A region that does not count."),
    ] = None,
    interest: Annotated[
        list[str] | None,
        typer.Option("--interest", metavar="'X,Y X,Y X,Y'", help="Only regions like this count."),
    ] = None,
    stream: Annotated[
        int | None, typer.Option("--stream", metavar="N", help="The video stream to analyse.")
    ] = None,
    fps: Annotated[
        float | None, typer.Option("--fps", metavar="RATE", help="Frame rate of images (25).")
    ] = None,
    stride: Annotated[
        int, typer.Option("--stride", metavar="N", help="Analyse every Nth frame only.")
    ] = 1,
    resume: Annotated[
        bool, typer.Option("--resume", help="Take a finished run as it is, go on with others.")
    ] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Always start a new run.")] = False,
    repeat: Annotated[
        int | None, typer.Option("--repeat", metavar="RUN", help="Replay a run and compare.")
    ] = None,
    copy: Annotated[bool, typer.Option("--copy", help="Copy the evidence into the case.")] = False,
    beside_evidence: Annotated[
        bool, typer.Option("--beside-evidence", help="Insist on a case beside the evidence.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Analyses videos into a case: hashes, indexes, scores every frame, finds events.

    A run that was stopped goes on where it stopped. Of several videos, bad ones are named and
    the others go on; the exit code is then 2.
    """
    if case is None:
        raise BadInputError("no case named", "", "give --case DIR")
    if (resume + fresh + (repeat is not None)) > 1:
        raise BadInputError("--resume, --fresh and --repeat exclude each other", "", "give one")
    if variant is not None and (pack, prompts) != (None, None):
        raise BadInputError("--variant brings its own pack and prompts", "", "leave them out")
    chosen = chosen_channels("scene,text" if variant is not None else channels)
    settings = replace(AnalysisSettings(), stride=stride, channels=chosen)
    options = _Options(
        settings,
        [path.absolute() for path in normal or []],
        normal_span or [],
        (ignore or [], interest or []),
        stream,
        fps,
        copy,
        beside_evidence,
        None if variant is not None else chosen_text(chosen, pack, prompts, device),
        variant,
    )
    with cancellable() as cancel, shown_progress() as progress:
        if repeat is not None:
            _repeat(case, repeat, videos, cancel, progress, as_json)
        else:
            _analyze(case, videos or [], options, (resume, fresh), cancel, progress, as_json)


class _Options:
    """What the command line asked for."""

    def __init__(
        self,
        settings: AnalysisSettings,
        normal: list[Path],
        spans: list[str],
        regions: tuple[list[str], list[str]],
        stream: int | None,
        fps: float | None,
        copy: bool,
        beside_evidence: bool,
        text: TextRecipe | None,
        variant: str | None = None,
    ) -> None:
        self.variant = variant
        self.settings = settings
        self.normal = normal
        self.spans = tuple(parse_span(text) for text in spans)
        self.regions = regions
        self.stream = stream
        self.fps = fps
        self.copy = copy
        self.beside_evidence = beside_evidence
        self.text = text
        if normal and spans:
            raise BadInputError("--normal and --normal-span exclude each other", "", "give one")

    def recipe(self, cancel: CancelToken) -> Recipe:
        """Hashes normal footage and returns what decides the result."""
        from engine.pipeline.calibration.normal_footage import hash_normal
        from engine.pipeline.recipe import Recipe
        from engine.pipeline.region_mask import PictureParts, parse_polygon

        ignore, interest = (tuple(map(parse_polygon, texts)) for texts in self.regions)
        parts = PictureParts(ignore, interest)
        footage = tuple(hash_normal(self.normal, cancel))
        return Recipe(self.settings, footage, self.spans, self.fps, parts, self.text)


def _analyze(
    case: Path,
    videos: list[Path],
    options: _Options,
    modes: tuple[bool, bool],
    cancel: CancelToken,
    progress: ProgressCallback,
    as_json: bool,
) -> None:
    from engine.cli.case_options import open_to_write
    from engine.export.run_json import run_json
    from engine.pipeline.run import Resuming

    if not videos:
        raise BadInputError("no video named", "", "give one or more videos")
    found = [path for path in videos if path.exists()]
    if not found:
        raise BadInputError("no such file or folder", videos[0], "check the path")
    recipe, text = _made_ready(case, options, cancel)
    resume, fresh = modes
    resuming = Resuming(finished=resume, unfinished=not fresh)
    runs: list[dict[str, Any]] = []
    failed: list[tuple[Path, SightlineError]] = []
    with open_to_write(case, found, options.beside_evidence) as opened:
        for path in videos:
            try:
                run = _one(opened, path, recipe, text, options, resuming, cancel, progress)
                runs.append(run_json(opened, run))
            except (CancelledError, ResourceError):
                raise
            except SightlineError as error:
                failed.append((path, error))
                if not as_json:
                    print_line(f"{path}: not analysed, {error.what}")
                continue
            if not as_json:
                _print(runs[-1])
        if as_json:
            named = [{"path": str(p), "error": e.line()} for p, e in failed]
            print_json({"case": str(opened.path), "failed": named, "runs": runs})
    if len(failed) == 1:
        raise failed[0][1]
    if failed:
        raise BadInputError(f"{len(failed)} videos were not analysed", "", failed[0][1].line())


def _made_ready(
    case: Path, options: _Options, cancel: CancelToken
) -> tuple[Recipe, TextUse | None]:
    """Opens what a run needs before a case is made, so that bad input leaves none behind."""
    from engine.case import Case
    from engine.detectors.text.text_detector import open_text
    from engine.pipeline.variant import taught_of, with_variant

    recipe = options.recipe(cancel)
    if options.variant is None:
        return recipe, open_text(case.absolute() / "cache", recipe.text)
    with Case.open(case) as opened:
        recipe = with_variant(opened, recipe, options.variant)
        return recipe, open_text(opened.cache, recipe.text, taught_of(opened, recipe))


def _one(
    case: Case,
    path: Path,
    recipe: Recipe,
    text: TextUse | None,
    options: _Options,
    resuming: Resuming,
    cancel: CancelToken,
    progress: ProgressCallback,
) -> RunRow:
    from engine.pipeline.evidence_intake import add_evidence
    from engine.pipeline.run import Run

    cancel.check()
    evidence, source = add_evidence(
        case,
        path,
        stream=options.stream,
        fps=options.fps,
        copy=options.copy,
        cancel=cancel,
        progress=progress,
    )
    with source:
        run = Run(case, evidence, source, recipe, text=text, cancel=cancel, progress=progress)
        return run.execute(resuming)


def _repeat(
    case: Path,
    run_id: int,
    videos: list[Path] | None,
    cancel: CancelToken,
    progress: ProgressCallback,
    as_json: bool,
) -> None:
    from engine.case import Case
    from engine.export.run_json import run_json
    from engine.pipeline.rerun import repeat_run

    if videos:
        raise BadInputError("--repeat takes no video", videos[0], "leave it out")
    with Case.open(case.absolute(), write=True) as opened:
        run, differences = repeat_run(opened, run_id, cancel, progress)
        if as_json:
            done = run_json(opened, run)
            print_json(
                {
                    "case": str(opened.path),
                    "failed": [],
                    "runs": [done],
                    "repeats": run_id,
                    "same": not differences,
                    "differences": differences,
                }
            )
        elif not differences:
            print_line(f"run {run.id} repeats run {run_id}: the same bit for bit")
    if differences:
        raise CheckFailedError(
            f"run {run.id} differs from run {run_id} in {', '.join(differences)}",
            "",
            "compare the machines in the case's log",
        )


def _print(run: dict[str, Any]) -> None:
    print_line(
        f"{Path(run['path']).name}: {run['analysed_frames']:,} frames in {run['wall_s']:.1f} s, "
        f"{run['events']} events, {run['trajectories']} trajectories (run {run['run_id']})"
    )
    for warning in run["warnings"]:
        print_line(f"  warning: {warning['text']}")
