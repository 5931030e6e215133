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
    chosen_channels,
    chosen_text,
)
from engine.cli.output import Json, cancellable, print_json, print_line, shown_progress
from engine.core.errors import BadInputError
from engine.core.settings import AnalysisSettings

if TYPE_CHECKING:
    from engine.lab.evaluation.benchmark_run import Calibrate, EvaluationRun

_DATASETS = ("ped1", "ped2", "avenue", "shanghaitech", "ubnormal")
_CALIBRATE = ("normal", "camera", "self")
_METRICS = ("micro_auc", "macro_auc", "pixel_auc", "rbdc", "tbdc")


def command(
    root: Annotated[Path, typer.Option("--root", metavar="DIR", help="The data set's folder.")],
    dataset: Annotated[
        str | None,
        typer.Option("--dataset", metavar="NAME", help=f"One of {', '.join(_DATASETS)}."),
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
    runtime: Annotated[
        str,
        typer.Option("--runtime", metavar="NAME", help="auto, transformers or llama.cpp."),
    ] = "auto",
    split: Annotated[
        str, typer.Option("--split", metavar="NAME", help="train, validation or test.")
    ] = "test",
    videos: Annotated[
        str | None, typer.Option("--videos", metavar="A,B", help="Only these videos.")
    ] = None,
    channels: Channels = "scene",
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
    stride: Annotated[
        int, typer.Option("--stride", metavar="N", help="Analyse every Nth frame only.")
    ] = 1,
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
            dataset, root, split, pack or "compact", limit, heatmap, blind, runtime, calibrate,
            dump, as_json,
        )  # fmt: skip
        evaluate_dialogue(options)
        return
    if dataset is None:
        raise BadInputError("no data set named", "", f"use one of {', '.join(_DATASETS)}")
    if dataset not in _DATASETS:
        raise BadInputError("unknown data set", dataset, f"use one of {', '.join(_DATASETS)}")
    chosen = chosen_channels(channels)
    recipe = chosen_text(chosen, pack, prompts, device)
    from engine.detectors.text.text_detector import open_text
    from engine.lab.datasets.registry import open_dataset
    from engine.lab.evaluation.benchmark_run import Evaluator

    settings = replace(_settings(stride, flow), channels=chosen)
    how = cast("Calibrate | None", calibrate)
    with cancellable() as cancel, shown_progress() as progress:
        evaluator = Evaluator(
            open_dataset(dataset, root.absolute()),
            settings,
            how,
            text=open_text(None, recipe),
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
        _keep_rates(rates, result)
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
            name: {metric: found[metric] for metric in _METRICS} for name, found in every.items()
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


def _keep_rates(path: Path, result: dict[str, Any]) -> None:
    from engine.core.version import VERSION
    from engine.lab.evaluation.benchmark_rates import keep_rates

    named = {name: result[name] for name in ("dataset", "split", "calibrate")}
    counts = {name: result[name] for name in ("videos", "frames", "abnormal_frames")}
    for channel, rates in result["error_rates"].items():
        figures = result["channels"][channel]
        said = {"channel": channel, **named, **counts, **rates, **figures, "sightline": VERSION}
        keep_rates(path, said)


def _print(result: dict[str, Any]) -> None:
    print_line(
        f"{result['dataset']} {result['split']}: {result['videos']} videos, "
        f"{result['frames']:,} frames, {result['abnormal_frames']:,} abnormal"
    )
    print_line(f"calibrated on: {result['calibrate']}")
    channels: dict[str, dict[str, Any]] = result["channels"]
    print_line(f"  {'':<10} " + " ".join(f"{name:>8}" for name in channels))
    for metric in _METRICS:
        values = [found[metric] for found in channels.values()]
        shown = " ".join(f"{'–' if one is None else f'{one:.4f}':>8}" for one in values)
        print_line(f"  {metric:<10} {shown}")
    for name, rates in result["error_rates"].items():
        wrong = ", ".join(
            f"{one.replace('_', ' ')} {'undefined' if rates[one] is None else f'{rates[one]:.4f}'}"
            for one in ("false_alarm_rate", "miss_rate")
        )
        print_line(f"  {name}, frames at scores from {rates['threshold']}: {wrong}")
    for metric, reason in result["undefined"].items():
        print_line(f"  {metric} is undefined: {reason}")
    for note in result["notes"]:
        print_line(f"  {note}")
    print_line(f"{result['fps']:.0f} frames a second")
