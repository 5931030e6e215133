"""What the compact pack's language model says: rendered test split with controls, real footage.

Run: `python -m tests.benchmarks.lab.dialogue --rendered DIR --work DIR [--limit N]`; DIR is a
folder that `main.py synth --videos 60 --seed 1 --split test` wrote.
Videos are analysed once for all controls; the second DIR keeps their cases.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from engine.core.progress import CancelToken, silent
from engine.dialogue.answer_parsing import cells_in, yes_or_no
from engine.dialogue.dialogue_model import DialogueModel, open_dialogue_model
from engine.lab.datasets.registry import open_dataset
from engine.lab.evaluation.dialogue.dialogue_metrics import (
    EvaluatedAnswer,
    ask_about_spans,
    summarise_answers,
)
from engine.lab.evaluation.dialogue.evaluated_spans import (
    EMPTY,
    OWN,
    SWAPPED,
    SWAPPED_TRUTH,
    TRUTH,
    ControlHeatmaps,
    EvaluatedSpan,
    spans_of_benchmark,
    spans_of_rendered_footage,
)
from engine.lab.synthesis.footage.write_footage import FootageRequest, write_footage
from engine.packs.pack import Pack, find_pack
from engine.tvad.backbones.backbone import Backbone
from engine.tvad.backbones.registry import open_backbone
from engine.tvad.language.runtime import LLAMA_CPP, TRANSFORMERS
from tests.benchmarks.lines import Line, footage, run_json, table

_VIDEOS, _SEED, _LIMIT, _SAME = 60, 1, 300, 250
_PED2_LIMIT = 96
_COMMAND = "python main.py evaluate --dialogue --root FOOTAGE --limit {limit} {options}"
_PED2 = "python main.py evaluate --dialogue --dataset ped2 --root PED2"
_BOTH = "python -m tests.benchmarks.lab.dialogue"

_LEAST = (
    ("yes_no_accuracy", "yes/no accuracy", 0.97),
    ("balanced_accuracy", "yes/no balanced accuracy", 0.95),
    ("from_exact", "*from* exact", 0.85),
    ("to_exact", "*to* exact", 0.85),
    ("action_exact", "action", 0.85),
    ("colour_exact", "colour", 0.80),
    ("bleu4_target", "BLEU-4 target", 0.63),
    ("bleu4_trajectory", "BLEU-4 trajectory", 0.85),
)


class Questioner:
    """Asks one model about spans, with any heatmap."""

    def __init__(self, pack: Pack, runtime: str, work: Path) -> None:
        self._backbone: Backbone = open_backbone(pack)
        self._work = work
        self._pack = pack
        self.runtime = runtime
        self.model: DialogueModel = open_dialogue_model(pack, runtime)

    def answers(
        self, spans: Sequence[EvaluatedSpan], kind: str = OWN, blind: bool = False
    ) -> list[EvaluatedAnswer]:
        """Holds the dialogues."""
        heat = ControlHeatmaps(kind, spans, self._work, self._pack)
        arguments = (self.model, self._backbone, spans, heat, kind, blind)
        return ask_about_spans(*arguments, silent, CancelToken())


def lines(rendered: Path, work: Path, limit: int = _LIMIT) -> Iterator[Line]:
    """Measures the lines of the table, each given as soon as it is known: hours lie between.

    Args:
        rendered: the test split.
        work: keeps the cases of analysed videos.
        limit: dialogues.
    """
    pack = find_pack("compact")
    spans = spans_of_rendered_footage(rendered, "test", limit)
    fast = Questioner(pack, LLAMA_CPP, work)
    truth = fast.answers(spans, TRUTH)
    yield _truth(summarise_answers(truth), limit)
    own = summarise_answers(fast.answers(spans))
    blind = summarise_answers(fast.answers(spans, blind=True))
    yield from _own(own, blind, limit)
    yield from _empty(own, fast, spans, limit)
    for kind in (SWAPPED, SWAPPED_TRUTH):
        yield from _swapped(kind, fast, spans, limit)
    few = spans[: -(-_SAME * len(spans) // max(1, len(truth)))]
    yield from _runtimes(fast, Questioner(pack, TRANSFORMERS, work), few)
    yield from _ped2(fast, footage() / "ped2")


def fight() -> str:
    """Asks the five questions about the assault of `fight.mp4`; returns them with the answers."""
    from engine.core.questions import INTERVIEW

    with tempfile.TemporaryDirectory() as name:
        case = Path(name) / "fight.case"
        video = footage() / "clips" / "fight.mp4"
        run_json("analyze", video, "--case", case)
        answers = [
            (question.text, run_json("ask", "--case", case, question.text))
            for question in INTERVIEW
        ]
    rows = [f"| {question} | {answer['answer']} |" for question, answer in answers]
    return "\n".join(["| asked about `fight.mp4` | answered |", "| --- | --- |", *rows]) + "\n"


def _own(metrics: dict[str, Any], blind: dict[str, Any], limit: int) -> list[Line]:
    command = _COMMAND.format(limit=limit, options="")
    out = []
    for key, name, least in _LEAST:
        beside = f" (blind {_value(blind[key])})" if key.startswith("bleu") else ""
        out.append(_line(name, f">= {least}", metrics[key], least, command, beside))
    for key in ("bleu4_target", "bleu4_trajectory"):
        apart = None if None in (metrics[key], blind[key]) else metrics[key] - blind[key]
        name = f"{key}: above the blind control by"
        out.append(_line(name, ">= 0.2", apart, 0.2, f"{command}--blind"))
    out.append(
        Line("the same, dialogues and answers", ">= 300",
             f"{metrics['dialogues']}, {metrics['answers']}; {metrics['sacrebleu']}",
             metrics["dialogues"] >= _LIMIT, command)
    )  # fmt: skip
    return out


def _truth(metrics: dict[str, Any], limit: int) -> Line:
    values = ", ".join(f"{name} {_value(metrics[key])}" for key, name, _ in _LEAST)
    command = _COMMAND.format(limit=limit, options=f"--heatmap {TRUTH}")
    return Line("true heatmap, for comparison", "reported", values, True, command)


def _empty(
    own: dict[str, Any], fast: Questioner, spans: Sequence[EvaluatedSpan], limit: int
) -> list[Line]:
    out = []
    empty = summarise_answers(fast.answers(spans, EMPTY))
    command = _COMMAND.format(limit=limit, options=f"--heatmap {EMPTY}")
    share = empty["yes_share_abnormal"]
    out.append(Line("empty heatmap: Yes on abnormal spans", "< 0.3", _value(share),
                    share is not None and share < 0.3, command))  # fmt: skip
    fall = (own["balanced_accuracy"] or 0) - (empty["balanced_accuracy"] or 0)
    out.append(_line("empty heatmap: balanced accuracy falls by", ">= 0.25", fall, 0.25, command))
    return out


def _swapped(kind: str, fast: Questioner, spans: Sequence[EvaluatedSpan], limit: int) -> list[Line]:
    out = []
    swapped = summarise_answers(fast.answers(spans, kind))
    command = _COMMAND.format(limit=limit, options=f"--heatmap {kind}")
    for end in ("from", "to"):
        there, here = swapped[f"{end}_swapped"], swapped[f"{end}_exact"]
        name = f"{kind} heatmap: *{end}* agrees with that span"
        out.append(_line(name, ">= 0.7", there, 0.7, command))
        name = f"{kind} heatmap: *{end}* agrees with the own span"
        out.append(Line(name, "<= 0.2", _value(here), here is not None and here <= 0.2, command))
    return out


def _runtimes(fast: Questioner, slow: Questioner, spans: Sequence[EvaluatedSpan]) -> list[Line]:
    fast_answers, slow_answers = fast.answers(spans), slow.answers(spans)
    pairs = list(zip(fast_answers, slow_answers, strict=True))[:_SAME]
    differing = [(a.text, b.text) for a, b in pairs if a.text != b.text]
    share = 1 - len(differing) / max(1, len(pairs))
    agree = all(yes_or_no(a) == yes_or_no(b) and cells_in(a) == cells_in(b) for a, b in differing)
    summary = f"{share:.3f} of {len(pairs)}; facts of the others {'agree' if agree else 'differ'}"
    out = [Line("greedy answers of both runtimes equal", ">= 0.95, facts agree", summary,
                share >= 0.95 and agree, _BOTH)]  # fmt: skip
    for questioner, answers, rate in ((fast, fast_answers, 25), (slow, slow_answers, 15)):
        speed = summarise_answers(answers)
        prefix, first, tokens = (speed[k] for k in ("prefix_s", "first_token_s", "tokens_per_s"))
        summary = f"{prefix:.2f} s, {first:.2f} s, {tokens:.1f}/s"
        holds = prefix < 5 and first < 1.5 and tokens >= rate
        name = f"{questioner.runtime}: evidence read, first token, then tokens"
        out.append(Line(name, f"< 5 s, < 1.5 s, >= {rate}/s", summary, holds, _BOTH))
    return out


def _ped2(questioner: Questioner, root: Path) -> list[Line]:
    spans = spans_of_benchmark(open_dataset("ped2", root), "test", _PED2_LIMIT)
    metrics = summarise_answers(questioner.answers(spans))
    name = "Ped2, 16-frame windows, fused: yes/no balanced accuracy"
    return [_line(name, "aim 0.85", metrics["balanced_accuracy"], 0.85, _PED2)]


def _line(
    name: str, required: str, value: float | None, least: float, command: str, beside: str = ""
) -> Line:
    holds = value is not None and value >= least
    return Line(name, required, f"{_value(value)}{beside}", holds, command)


def _value(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


def section() -> str:
    """Measures everything and returns the section of docs/evaluation.md."""
    with tempfile.TemporaryDirectory() as name:
        rendered = Path(name) / "rendered"
        write_footage(rendered, FootageRequest(_VIDEOS, _SEED), 2, silent, CancelToken())
        return f"{table(list(lines(rendered, Path(name) / 'work')))}\n{fight()}"


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description="Figures of the dialogue.")
    parser.add_argument("--rendered", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=_LIMIT)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    measured = []
    for line in lines(options.rendered, options.work, options.limit):
        measured.append(line)
        print(f"{line.name}: {line.measured}", file=sys.stderr, flush=True)
    print(table(measured))
    print(fight())


if __name__ == "__main__":
    main()
