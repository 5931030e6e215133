"""`evaluate`: the field's metrics on a benchmark."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

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
from engine.core.channels import SCENE
from engine.core.errors import BadInputError
from engine.core.settings import AnalysisSettings
from engine.lab.commands.lab_options import DatasetRoot, RuntimeName, SplitName
from engine.lab.datasets.registry import DATASETS, open_dataset
from engine.packs import DEFAULT_PACK

if TYPE_CHECKING:
    from engine.lab.evaluation.benchmark_run import CalibrationSource, EvaluationRun

_CALIBRATE = ("normal", "camera", "self")
_METRICS = ("micro_auc", "macro_auc", "pixel_auc", "rbdc", "tbdc")


def command(
    root: DatasetRoot,
    dataset: Annotated[
        str | None,
        typer.Option("--dataset", metavar="NAME", help=f"One of {', '.join(DATASETS)}."),
    ] = None,
    dialogue: Annotated[
        bool, typer.Option("--dialogue", help="Judge what a pack's language model says.")
    ] = False,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", help="Dialogues at most.")
    ] = None,
    heatmap: Annotated[
        str,
        typer.Option(
            "--heatmap",
            metavar="KIND",
            help="own, empty, swapped, truth or swapped-truth (dialogue).",
        ),
    ] = "own",
    blind: Annotated[
        bool, typer.Option("--blind", help="Without video and anomaly tokens (dialogue).")
    ] = False,
    runtime: RuntimeName = "auto",
    split: SplitName = "test",
    videos: Annotated[
        str | None, typer.Option("--videos", metavar="A,B", help="Only these videos.")
    ] = None,
    channels: Channels = SCENE,
    pack: PackName = None,
    prompts: PromptFile = None,
    device: Device = None,
    calibrate: Annotated[
        str | None,
        typer.Option(
            "--calibrate",
            metavar="HOW",
            help="normal: the data set's training footage; camera: all test videos together "
            "without labels (no dialogue); self: each video alone.",
        ),
    ] = None,
    stride: Stride = 1,
    flow: Annotated[
        str | None,
        typer.Option("--flow", metavar="PRESET:SCALE", help="Flow to try, such as medium:0."),
    ] = None,
    dump: Annotated[
        Path | None, typer.Option("--dump", metavar="DIR", help="Write arrays and regions there.")
    ] = None,
    pictures: Annotated[
        Path | None, typer.Option("--pictures", metavar="DIR", help="Draw every video there.")
    ] = None,
    rates: Annotated[
        Path | None,
        typer.Option("--rates", metavar="FILE", help="Put the error rates into this file."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Evaluates on a benchmark: micro-, macro- and pixel-AUC, RBDC and TBDC.

    With --dialogue what a pack's language model says, on rendered footage where no data set is
    named: yes and no, places, actions, colours, BLEU.
    """
    if calibrate is not None and calibrate not in _CALIBRATE:
        raise BadInputError("unknown calibration", calibrate, f"use {', '.join(_CALIBRATE)}")
    if dialogue:
        from engine.lab.commands.evaluate_dialogue import DialogueOptions, evaluate_dialogue

        options = DialogueOptions(
            dataset, root, split, pack or DEFAULT_PACK, limit, heatmap, blind, runtime, calibrate,
            dump, as_json,
        )  # fmt: skip
        evaluate_dialogue(options)
        return
    if dataset is None:
        raise BadInputError("no data set named", "", f"use one of {', '.join(DATASETS)}")
    if dataset not in DATASETS:
        raise BadInputError("unknown data set", dataset, f"use one of {', '.join(DATASETS)}")
    channel_names = parse_channels(channels)
    recipe, text_pack = make_recipe(channel_names, pack, prompts, device)
    from engine.detectors.text.text_detector import open_text
    from engine.lab.evaluation.benchmark_run import Evaluator

    settings = replace(_settings(stride, flow), channels=channel_names)
    how = cast("CalibrationSource | None", calibrate)
    with cancellable() as cancel, shown_progress() as progress:
        evaluator = Evaluator(
            open_dataset(dataset, root.absolute()),
            settings,
            how,
            text=open_text(None, recipe, pack=text_pack),
            dump=dump,
            pictures=pictures,
            cancel=cancel,
            progress=progress,
        )
        names = None if videos is None else [name for name in videos.split(",") if name]
        run = evaluator.evaluate(split, names)
    result = _json(dataset, split, run, settings)
    if recipe is not None:
        result["settings"]["text"] = recipe.as_json()
    if rates is not None:
        _store_rates(rates, result)
    if as_json:
        print_json(result)
    else:
        _print(result)


def _settings(stride: int, flow: str | None) -> AnalysisSettings:
    settings = replace(AnalysisSettings(), stride=stride)
    if flow is None:
        return settings
    preset, _, scale = flow.partition(":")
    if not scale.isdigit():
        raise BadInputError("not a flow", flow, "write PRESET:SCALE, such as medium:0")
    motion = replace(settings.motion, flow_preset=preset, flow_finest_scale=int(scale))
    return replace(settings, motion=motion)


def _json(
    dataset: str, split: str, run: EvaluationRun, settings: AnalysisSettings
) -> dict[str, Any]:
    every = {name: figures.as_json() for name, figures in run.channels.items()}
    figures = every[run.leading]
    return {
        "dataset": dataset,
        "split": split,
        **figures,
        "channels": {
            name: {metric: of_channel[metric] for metric in _METRICS}
            for name, of_channel in every.items()
        },
        "calibrate": run.calibrate,
        "error_rates": run.error_rates,
        "smoothing": {
            "kind": "gaussian over time within one video, in the scene channel",
            "sigma_s": settings.scene.score_smoothing_seconds,
        },
        "wall_s": round(run.wall_s, 3),
        "fps": round(run.frames / run.wall_s, 2),
        "settings": settings.as_json(),
    }


def _store_rates(path: Path, result: dict[str, Any]) -> None:
    from engine.core.version import VERSION
    from engine.lab.evaluation.benchmark_rates import store_rates

    names = {name: result[name] for name in ("dataset", "split", "calibrate")}
    counts = {name: result[name] for name in ("videos", "frames", "abnormal_frames")}
    for channel, rates in result["error_rates"].items():
        figures = result["channels"][channel]
        row = {"channel": channel, **names, **counts, **rates, **figures, "sightline": VERSION}
        store_rates(path, row)


def _print(result: dict[str, Any]) -> None:
    print_line(
        f"{result['dataset']} {result['split']}: {result['videos']} videos, "
        f"{result['frames']:,} frames, {result['abnormal_frames']:,} abnormal"
    )
    print_line(f"calibrated on: {result['calibrate']}")
    channels: dict[str, dict[str, Any]] = result["channels"]
    print_line(f"  {'':<10} " + " ".join(f"{name:>8}" for name in channels))
    for metric in _METRICS:
        values = [figures[metric] for figures in channels.values()]
        columns = (f"{'–' if value is None else f'{value:.4f}':>8}" for value in values)
        print_line(f"  {metric:<10} {' '.join(columns)}")
    for name, rates in result["error_rates"].items():
        errors = ", ".join(
            f"{key.replace('_', ' ')} {'undefined' if rates[key] is None else f'{rates[key]:.4f}'}"
            for key in ("false_alarm_rate", "miss_rate")
        )
        print_line(f"  {name}, frames at scores from {rates['threshold']}: {errors}")
    for metric, reason in result["undefined"].items():
        print_line(f"  {metric} is undefined: {reason}")
    for note in result["notes"]:
        print_line(f"  {note}")
    print_line(f"{result['fps']:.0f} frames a second")
