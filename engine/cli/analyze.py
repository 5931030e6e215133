"""`analyze`: videos into scored evidence of a case."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.channel_options import (
    Channels,
    Device,
    PackName,
    PromptFile,
    Stride,
    make_recipe,
    parse_channels,
)
from engine.cli.output import Json, cancellable, print_json, print_line, shown_progress
from engine.core.channels import SCENE, VARIANT_CHANNELS
from engine.core.errors import (
    BadInputError,
    CancelledError,
    CheckFailedError,
    ResourceError,
    SightlineError,
)
from engine.core.progress import CancelToken, ProgressCallback
from engine.core.settings import AnalysisSettings
from engine.core.times import Span, parse_span

if TYPE_CHECKING:
    from engine.case import Case, RunRow
    from engine.detectors.text.text_detector import TextDetector
    from engine.detectors.text.text_recipe import TextRecipe
    from engine.packs.pack import Pack
    from engine.pipeline.recipe import Recipe
    from engine.pipeline.run import Resuming


Videos = Annotated[
    list[Path] | None,
    typer.Argument(metavar="VIDEO...", help="Video files or folders of numbered images."),
]
CaseFolder = Annotated[
    Path | None, typer.Option("--case", metavar="DIR", help="The case folder; made when new.")
]
NormalPaths = Annotated[
    list[Path] | None,
    typer.Option("--normal", metavar="PATH", help="Footage of this camera known as normal."),
]
NormalSpans = Annotated[
    list[str] | None,
    typer.Option("--normal-span", metavar="START..END", help="A span known as normal."),
]
Variant = Annotated[
    str | None,
    typer.Option("--variant", metavar="NAME", help="A variant that marks taught in this case."),
]
IgnoredRegions = Annotated[
    list[str] | None,
    typer.Option("--ignore", metavar="'X,Y X,Y X,Y'", help="A region that does not count."),
]
InterestRegions = Annotated[
    list[str] | None,
    typer.Option("--interest", metavar="'X,Y X,Y X,Y'", help="Only regions like this count."),
]
Stream = Annotated[
    int | None, typer.Option("--stream", metavar="N", help="The video stream to analyse.")
]
FrameRate = Annotated[
    float | None, typer.Option("--fps", metavar="RATE", help="Frame rate of images (25).")
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Take a finished run as it is, go on with others.")
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Always start a new run.")]
Repeat = Annotated[
    int | None, typer.Option("--repeat", metavar="RUN", help="Replay a run and compare.")
]
Copy = Annotated[bool, typer.Option("--copy", help="Copy the evidence into the case.")]
BesideEvidence = Annotated[
    bool, typer.Option("--beside-evidence", help="Insist on a case beside the evidence.")
]


def command(
    videos: Videos = None,
    case: CaseFolder = None,
    normal: NormalPaths = None,
    normal_span: NormalSpans = None,
    channels: Channels = SCENE,
    pack: PackName = None,
    prompts: PromptFile = None,
    device: Device = None,
    variant: Variant = None,
    ignore: IgnoredRegions = None,
    interest: InterestRegions = None,
    stream: Stream = None,
    fps: FrameRate = None,
    stride: Stride = 1,
    resume: Resume = False,
    fresh: Fresh = False,
    repeat: Repeat = None,
    copy: Copy = False,
    beside_evidence: BesideEvidence = False,
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
    names = VARIANT_CHANNELS if variant is not None else parse_channels(channels)
    # A variant brings the recipe of its text channel along.
    text, text_pack = (None, None) if variant else make_recipe(names, pack, prompts, device)
    spans = tuple(map(parse_span, normal_span or ()))
    if normal and spans:
        raise BadInputError("--normal and --normal-span exclude each other", "", "give one")
    options = _AnalyzeOptions(
        settings=replace(AnalysisSettings(), stride=stride, channels=names),
        normal=[path.absolute() for path in normal or ()],
        normal_spans=spans,
        regions=(ignore or [], interest or []),
        stream=stream,
        fps=fps,
        copy=copy,
        beside_evidence=beside_evidence,
        text=text,
        pack=text_pack,
        variant=variant,
        resuming=(resume, fresh),
    )
    with cancellable() as cancel, shown_progress() as progress:
        if repeat is not None:
            _repeat(case, repeat, videos, cancel, progress, as_json)
        else:
            _analyze(case, videos or [], options, cancel, progress, as_json)


@dataclass(frozen=True, kw_only=True)
class _AnalyzeOptions:
    """Options of an analysis.

    Attributes:
        settings: of the analysis.
        normal: footage of the camera known as normal.
        normal_spans: spans known as normal.
        regions: ignored regions and regions of interest, as text.
        stream: number of the stream; None for the first.
        fps: frame rate of images; None for the usual.
        copy: whether the evidence is copied into the case.
        beside_evidence: whether the examiner insists on a case beside the evidence.
        text: recipe of the text channel; None where it does not run or a variant brings it.
        pack: the pack of that recipe.
        variant: name of a variant.
        resuming: whether a finished run is taken as it is, and whether a new one is started.
    """

    settings: AnalysisSettings
    normal: list[Path]
    normal_spans: tuple[Span, ...]
    regions: tuple[list[str], list[str]]
    stream: int | None
    fps: float | None
    copy: bool
    beside_evidence: bool
    text: TextRecipe | None
    pack: Pack | None
    variant: str | None
    resuming: tuple[bool, bool]

    def recipe(self, cancel: CancelToken) -> Recipe:
        """Hashes normal footage and returns what decides the result."""
        from engine.pipeline.normal_footage import hash_normal_footage
        from engine.pipeline.recipe import Recipe
        from engine.pipeline.region_mask import RegionMask, parse_polygon

        ignore, interest = (tuple(map(parse_polygon, texts)) for texts in self.regions)
        mask = RegionMask(ignore, interest)
        footage = tuple(hash_normal_footage(self.normal, cancel))
        return Recipe(self.settings, footage, self.normal_spans, self.fps, mask, self.text)


def _analyze(
    case: Path,
    videos: list[Path],
    options: _AnalyzeOptions,
    cancel: CancelToken,
    progress: ProgressCallback,
    as_json: bool,
) -> None:
    from engine.cli.case_options import open_to_write
    from engine.export.run_json import run_json
    from engine.pipeline.run import Resuming

    if not videos:
        raise BadInputError("no video named", "", "give one or more videos")
    existing = [path for path in videos if path.exists()]
    if not existing:
        raise BadInputError("no such file or folder", videos[0], "check the path")
    recipe, text = _prepare(case, options, cancel)
    resume, fresh = options.resuming
    resuming = Resuming(finished=resume, unfinished=not fresh)
    runs: list[dict[str, Any]] = []
    failed: list[tuple[Path, SightlineError]] = []
    with open_to_write(case, existing, options.beside_evidence) as opened:
        for path in videos:
            try:
                run = _analyze_video(
                    opened, path, recipe, text, options, resuming, cancel, progress
                )
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
            failures = [{"path": str(path), "error": error.line()} for path, error in failed]
            print_json({"case": str(opened.path), "failed": failures, "runs": runs})
    if len(failed) == 1:
        raise failed[0][1]
    if failed:
        raise BadInputError(f"{len(failed)} videos were not analysed", "", failed[0][1].line())


def _prepare(
    case: Path, options: _AnalyzeOptions, cancel: CancelToken
) -> tuple[Recipe, TextDetector | None]:
    """Opens what a run needs before a case is made, so that bad input leaves none behind."""
    from engine.case import Case
    from engine.detectors.text.text_detector import open_text
    from engine.pipeline.variant import variant_weights, with_variant

    recipe = options.recipe(cancel)
    if options.variant is None:
        return recipe, open_text(case.absolute() / "cache", recipe.text, pack=options.pack)
    with Case.open(case) as opened:
        recipe = with_variant(opened, recipe, options.variant)
        weights = variant_weights(opened, recipe)
        return recipe, open_text(opened.cache_folder, recipe.text, weights.decoder)


def _analyze_video(
    case: Case,
    path: Path,
    recipe: Recipe,
    text: TextDetector | None,
    options: _AnalyzeOptions,
    resuming: Resuming,
    cancel: CancelToken,
    progress: ProgressCallback,
) -> RunRow:
    from engine.pipeline.evidence_intake import add_evidence
    from engine.pipeline.run import AnalysisRun

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
        run = AnalysisRun(
            case, evidence, source, recipe, text=text, cancel=cancel, progress=progress
        )
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
    from engine.pipeline.rerun import rerun

    if videos:
        raise BadInputError("--repeat takes no video", videos[0], "leave it out")
    with Case.open(case.absolute(), write=True) as opened:
        run, differences = rerun(opened, run_id, cancel, progress)
        if as_json:
            print_json(
                {
                    "case": str(opened.path),
                    "failed": [],
                    "runs": [run_json(opened, run)],
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
