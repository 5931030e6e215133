"""What each request does; the fields of a request are not trusted."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import protocol
from engine.case import Case, ChunkSpan, refuse_beside_evidence
from engine.core.errors import BadInputError
from engine.core.progress import CancelToken
from engine.core.settings import AnalysisSettings
from engine.core.times import parse_span
from engine.worker.request_fields import Fields, listed, number, optional, spans, text, word
from engine.worker.worker_session import Answer, Opened

if TYPE_CHECKING:
    from engine.detectors.text.text_recipe import TextRecipe
    from engine.pipeline.recipe import Recipe

_MOST_TOKENS = 512


def add(opened: Opened, fields: Fields, cancel: CancelToken, answer: Answer) -> dict[str, Any]:
    """Adds a file or a folder of images, or finds it when the case has it already."""
    from engine.pipeline.evidence_intake import add_evidence
    from engine.pipeline.run_warnings import stream_warnings

    path = Path(text(fields, "path"))
    insist = optional(fields, "beside_evidence", bool, False)
    with opened.join() as case:
        folder = refuse_beside_evidence(case.path, [path], insist)
        if folder is not None:
            with case.change() as change:
                change.record("case.beside_evidence", "case", {"folder": str(folder)})
        evidence, source = add_evidence(
            case,
            path,
            stream=optional(fields, "stream", int, None),
            fps=optional(fields, "fps", float, None),
            copy=optional(fields, "copy", bool, False),
            cancel=cancel,
            progress=answer.progress,
        )
        with source:
            warnings = stream_warnings(source.info, source.index)
            return {
                "evidence_id": evidence.id,
                "sha256": evidence.sha256,
                "frames": len(source.index),
                "duration_s": source.index.duration_s,
                "warnings": [one.__dict__ for one in warnings],
            }


def analyse(opened: Opened, fields: Fields, cancel: CancelToken, answer: Answer) -> dict[str, Any]:
    """Analyses evidence of the case; hashes it first.

    Other prompts for evidence whose features are kept are read from these, without decoding.
    """
    from engine.detectors.text.text_detector import open_text
    from engine.export.run_json import run_json
    from engine.pipeline.calibration.normal_footage import hash_normal
    from engine.pipeline.evidence_intake import add_evidence
    from engine.pipeline.recipe import Recipe
    from engine.pipeline.region_mask import PictureParts, parse_polygons
    from engine.pipeline.run import Resuming, Run
    from engine.pipeline.variant import taught_of

    def committed(run_id: int, span: ChunkSpan) -> None:
        places = {"first_frame": span.first_frame, "last_frame": span.last_frame}
        pts = {"first_pts": span.first_pts, "last_pts": span.last_pts}
        answer.chunk(run_id=run_id, **places, **pts)

    mode = optional(fields, "mode", str, "auto")
    if mode not in ("auto", "resume", "fresh"):
        raise BadInputError("an unknown mode", mode, "use auto, resume or fresh")
    channels, asked = _channels(fields)
    stride = optional(fields, "stride", int, 1)
    settings = replace(AnalysisSettings(), stride=stride, channels=channels)
    parts = PictureParts(
        parse_polygons(fields.get("ignore", [])), parse_polygons(fields.get("interest", []))
    )
    normal = [Path(word(one)) for one in listed(fields, "normal")]
    with opened.join() as case:
        row = case.evidence.get(number(fields, "evidence_id"))
        footage = tuple(hash_normal(normal, cancel))
        recipe = Recipe(settings, footage, spans(fields), None, parts, asked)
        recipe = _with_variant(case, fields, recipe)
        evidence, source = add_evidence(
            case,
            Path(row.path),
            stream=optional(fields, "stream", int, None),
            fps=row.fps,
            cancel=cancel,
            progress=answer.progress,
        )
        with source:
            run = Run(
                case, evidence, source, recipe, 
                text=open_text(case.cache, recipe.text, taught_of(case, recipe)),
                cancel=cancel, progress=answer.progress, committed=committed,
            )  # fmt: skip
            resuming = Resuming(finished=mode == "resume", unfinished=mode != "fresh")
            return {"run": run_json(case, run.execute(resuming))}


def recalibrate(
    opened: Opened, fields: Fields, cancel: CancelToken, answer: Answer
) -> dict[str, Any]:
    """Learns anew what is usual and derives the results of a run again, without decoding."""
    from engine.pipeline.calibration.recalibration import recalibrate as derive_again
    from engine.pipeline.region_mask import PictureParts, parse_polygons

    begun = time.monotonic()
    parts = PictureParts(
        parse_polygons(fields.get("ignore", [])), parse_polygons(fields.get("interest", []))
    )
    with opened.join() as case:
        run_id = number(fields, "run_id")
        derivation = derive_again(case, run_id, spans(fields), parts, cancel, answer.progress)
        return {
            "run_id": run_id,
            "derivation_id": derivation.id,
            "events": len(case.results.events(run_id)),
            "trajectories": len(case.results.trajectory_summaries(run_id)),
            "wall_s": time.monotonic() - begun,
        }


def verify(opened: Opened, fields: Fields, cancel: CancelToken, answer: Answer) -> dict[str, Any]:
    """Checks evidence, records and chain; changed evidence is put on record.

    `head` is one of the audit log noted elsewhere, `also` names other hashes of evidence.
    """
    from engine.pipeline.evidence_check import (
        changed_evidence,
        note_mismatches,
        verification_json,
        verify_case,
    )

    head = optional(fields, "head", str, None)
    also = [word(one) for one in listed(fields, "also")]
    with opened.join() as case:
        found, hashes = verify_case(case, also, head, cancel, answer.progress)
        if not found.bad and found.first_bad is None:
            note_mismatches(case, changed_evidence(found))
    return verification_json(found, hashes)


def report(opened: Opened, fields: Fields, cancel: CancelToken, answer: Answer) -> dict[str, Any]:
    """Writes a report of the whole case, or with `preview` pictures of its pages."""
    from engine.report.write_report import preview_report, write_report

    tagged = optional(fields, "tagged", bool, False)
    with opened.join() as case:
        if optional(fields, "preview", bool, False):
            pages = preview_report(case, tagged=tagged, cancel=cancel, progress=answer.progress)
            return {"pages": [str(one) for one in pages]}
        content, written = write_report(
            case,
            Path(text(fields, "to")),
            tagged=tagged,
            beside_evidence=optional(fields, "beside_evidence", bool, False),
            cancel=cancel,
            progress=answer.progress,
        )
    return {
        "path": str(written.path),
        "sha256": written.sha256,
        "size": written.size,
        "audit_head": content.audit_head,
    }


def export(opened: Opened, fields: Fields, cancel: CancelToken, answer: Answer) -> dict[str, Any]:
    """Exports from a finished run: a still, a clip, arrays, regions or trajectories."""
    from engine.export.export_run import Export, export_run
    from engine.export.still_marks import parse_marks

    wanted = Export(
        Path(text(fields, "to")),
        optional(fields, "start", float, None),
        optional(fields, "end", float, None),
        optional(fields, "beside_evidence", bool, False),
        parse_marks(listed(fields, "marks")),
        optional(fields, "compared", bool, False),
    )
    with opened.join() as case:
        piece = case.evidence.get(number(fields, "evidence_id"))
        run = case.runs.chosen(piece, optional(fields, "run_id", int, None))
        exported = export_run(case, piece, run, wanted, cancel, answer.progress)
    return {
        "files": [
            {"path": str(one.path), "sha256": one.sha256, "size": one.size}
            for one in exported.files
        ],
        "first_frame": exported.first_frame,
        "last_frame": exported.last_frame,
    }


def archive(opened: Opened, fields: Fields, cancel: CancelToken, answer: Answer) -> dict[str, Any]:
    """Writes the case into one file."""
    from engine.archive.archive_writer import write_archive

    with opened.join() as case:
        archived = write_archive(
            case,
            Path(text(fields, "to")),
            with_evidence=optional(fields, "with_evidence", bool, False),
            beside_evidence=optional(fields, "beside_evidence", bool, False),
            cancel=cancel,
            progress=answer.progress,
        )
    return {
        "path": str(archived.file.path),
        "sha256": archived.file.sha256,
        "size": archived.file.size,
        "manifest_sha256": archived.manifest_sha256,
        "audit_head": archived.manifest.head,
        "left_out": [
            {"evidence_id": one.evidence_id, "why": one.left_out}
            for one in archived.manifest.evidence
            if one.held is None
        ],
    }


def ask(opened: Opened, fields: Fields, cancel: CancelToken, answer: Answer) -> dict[str, Any]:
    """Asks about an event or a span; pieces of the answer are said as they come.

    With `prepare` nothing is asked: a model reads the evidence, so that the answer comes sooner.
    """
    from engine.dialogue.ask_case import ask as ask_case
    from engine.dialogue.ask_case import prepare
    from engine.dialogue.turn import AskRequest
    from engine.tvad.language.runtime import Sampling

    question = fields.get("question")
    span = optional(fields, "span", str, None)
    most = optional(fields, "most_tokens", int, Sampling().most)
    if not 1 <= most <= _MOST_TOKENS:
        raise BadInputError("a number of tokens out of range", most, f"use 1 to {_MOST_TOKENS}")
    request = AskRequest(
        question=question if isinstance(question, str) else "",
        evidence_id=optional(fields, "evidence_id", int, None),
        event_id=optional(fields, "event_id", int, None),
        span=None if span is None else parse_span(span),
        facts_only=optional(fields, "facts_only", bool, False),
        pack=optional(fields, "pack", str, "compact"),
        runtime=optional(fields, "runtime", str, "auto"),
        sampling=Sampling(most, optional(fields, "seed", int, None)),
        fresh=optional(fields, "fresh", bool, False),
    )
    with opened.join() as case:
        if optional(fields, "prepare", bool, False):
            return {"prepared": prepare(case, request, opened.shelf, cancel)}
        return ask_case(case, request, opened.shelf, answer.token, cancel, answer.progress)


def teach(opened: Opened, fields: Fields, cancel: CancelToken, answer: Answer) -> dict[str, Any]:
    """Teaches a variant from marks; with `repeat` teaches one again and compares.

    The answer holds the scores of every analysed frame of the marked evidence before and after.
    """
    from engine.few_shot.marks import parse_marks
    from engine.few_shot.teach_variant import repeat_teaching
    from engine.few_shot.teach_variant import teach as teach_variant

    repeat = optional(fields, "repeat", str, None)
    with opened.join() as case:
        if repeat is not None:
            return {"same": repeat_teaching(case, repeat, cancel, answer.progress)}
        marks = parse_marks(listed(fields, "marks"))
        taken = teach_variant(case, marks, text(fields, "name"), cancel, answer.progress)
    return taken.as_json(curves=True)


def find(opened: Opened, fields: Fields, cancel: CancelToken, answer: Answer) -> dict[str, Any]:
    """Ranks moments by likeness to an event's target, to marked targets, or to words."""
    from engine.few_shot.marks import parse_marks
    from engine.few_shot.similarity_search import find_like, find_words

    words = optional(fields, "text", str, None)
    event = optional(fields, "event_id", int, None)
    given = listed(fields, "marks")
    if (words is not None) + (event is not None) + bool(given) != 1:
        raise BadInputError("say what to look for", "", "give text, event_id or marks")
    with opened.join() as case:
        if words is not None:
            return find_words(case, words, cancel, answer.progress).as_json()
        marks = parse_marks(given) if given else ()
        return find_like(case, event, marks, cancel, answer.progress).as_json()


def packs(opened: Opened, fields: Fields, cancel: CancelToken, answer: Answer) -> dict[str, Any]:
    """Lists the packs that are there, and the memory they need against the memory there."""
    from engine.packs.pack_listing import packs_json

    return packs_json()


Handler = Callable[[Opened, Fields, CancelToken, Answer], dict[str, Any]]

HANDLERS: Mapping[str, Handler] = {
    protocol.ADD: add,
    protocol.ANALYSE: analyse,
    protocol.RECALIBRATE: recalibrate,
    protocol.ASK: ask,
    protocol.TEACH: teach,
    protocol.FIND: find,
    protocol.VERIFY: verify,
    protocol.REPORT: report,
    protocol.EXPORT: export,
    protocol.ARCHIVE: archive,
    protocol.PACKS: packs,
}


def _with_variant(case: Case, fields: Fields, recipe: Recipe) -> Recipe:
    """Lets a recipe use the variant that a request names; both channels run then."""
    from engine.pipeline.fusion import CHANNELS
    from engine.pipeline.variant import with_variant

    name = optional(fields, "variant", str, None)
    if name is None:
        return recipe
    settings = replace(recipe.settings, channels=CHANNELS)
    return with_variant(case, replace(recipe, settings=settings), name)


def _channels(fields: Fields) -> tuple[tuple[str, ...], TextRecipe | None]:
    """Reads which channels run, and what the text channel is asked."""
    from engine.pipeline.fusion import CHANNELS, TEXT

    named = [word(one) for one in listed(fields, "channels")] or [CHANNELS[0]]
    unknown = [one for one in named if one not in CHANNELS]
    if unknown:
        raise BadInputError("unknown channel", unknown[0][:80], f"use {', '.join(CHANNELS)}")
    channels = tuple(one for one in CHANNELS if one in named)
    if TEXT not in channels:
        return channels, None
    from engine.detectors.text.text_model import text_recipe
    from engine.packs.prompt_sets import parse_prompts

    said = optional(fields, "prompts", dict, None)
    prompts = None if said is None else parse_prompts(said, "the request")
    pack = optional(fields, "pack", str, "compact")
    return channels, text_recipe(pack, prompts, optional(fields, "device", str, "auto"))
