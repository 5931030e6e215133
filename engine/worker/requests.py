"""The handlers of requests, by the type of the request."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import protocol
from engine.case import Case, ChunkSpan, refuse_beside_evidence
from engine.core.channels import SCENE, TEXT, VARIANT_CHANNELS, order_channels
from engine.core.errors import BadInputError
from engine.core.progress import CancelToken
from engine.core.settings import AnalysisSettings
from engine.core.times import parse_span
from engine.worker import request_fields as expected
from engine.worker.worker_session import CaseSession, Replies

if TYPE_CHECKING:
    from engine.detectors.text.text_recipe import TextRecipe
    from engine.packs.pack import Pack
    from engine.pipeline.recipe import Recipe
    from engine.pipeline.region_mask import RegionMask

_MAX_TOKENS = 512  # Of an answer; a longer one takes minutes without a GPU.

Values = Mapping[str, Any]
Json = dict[str, Any]


def add(session: CaseSession, values: Values, cancel: CancelToken, replies: Replies) -> Json:
    """Adds a file or a folder of images, or finds it when the case has it already."""
    from engine.pipeline.evidence_intake import add_evidence
    from engine.pipeline.run_warnings import stream_warnings

    fields = expected.AddFields.read(values)
    path = Path(fields.path)
    with session.join() as case:
        folder = refuse_beside_evidence(case.path, [path], fields.beside_evidence)
        if folder is not None:
            with case.change() as change:
                change.record("case.beside_evidence", "case", {"folder": str(folder)})
        evidence, source = add_evidence(
            case,
            path,
            stream=fields.stream,
            fps=fields.fps,
            copy=fields.copy,
            cancel=cancel,
            progress=replies.progress,
        )
        with source:
            warnings = stream_warnings(source.info, source.index)
            return {
                "evidence_id": evidence.id,
                "sha256": evidence.sha256,
                "frames": len(source.index),
                "duration_s": source.index.duration_s,
                "warnings": [warning.__dict__ for warning in warnings],
            }


def analyse(session: CaseSession, values: Values, cancel: CancelToken, replies: Replies) -> Json:
    """Analyses evidence of the case; hashes it first.

    Other prompts for evidence whose features are kept are read from these, without decoding.
    """
    from engine.detectors.text.text_detector import open_text
    from engine.export.run_json import run_json
    from engine.pipeline.evidence_intake import add_evidence
    from engine.pipeline.normal_footage import hash_normal_footage
    from engine.pipeline.recipe import Recipe
    from engine.pipeline.run import AnalysisRun, Resuming
    from engine.pipeline.variant import variant_weights

    def send_chunk(run_id: int, span: ChunkSpan) -> None:
        frames = {"first_frame": span.first_frame, "last_frame": span.last_frame}
        pts = {"first_pts": span.first_pts, "last_pts": span.last_pts}
        replies.chunk(run_id=run_id, **frames, **pts)

    fields = expected.AnalyseFields.read(values)
    mode = fields.mode
    if mode not in ("auto", "resume", "fresh"):
        raise BadInputError("an unknown mode", mode, "use auto, resume or fresh")
    channels, text_recipe, pack = _channels(fields)
    settings = replace(AnalysisSettings(), stride=fields.stride, channels=channels)
    regions = _read_regions(fields)
    normal = [Path(path) for path in fields.normal]
    with session.join() as case:
        row = case.evidence.get(fields.evidence_id)
        footage = tuple(hash_normal_footage(normal, cancel))
        recipe = Recipe(settings, footage, fields.normal_spans, None, regions, text_recipe)
        recipe = _with_variant(case, fields.variant, recipe)
        evidence, source = add_evidence(
            case,
            Path(row.path),
            stream=fields.stream,
            fps=row.fps,
            cancel=cancel,
            progress=replies.progress,
        )
        with source:
            run = AnalysisRun(
                case,
                evidence,
                source,
                recipe,
                text=open_text(
                    case.cache_folder,
                    recipe.text,
                    variant_weights(case, recipe).decoder,
                    pack if recipe.variant is None else None,
                ),
                cancel=cancel,
                progress=replies.progress,
                on_commit=send_chunk,
            )
            resuming = Resuming(finished=mode == "resume", unfinished=mode != "fresh")
            return {"run": run_json(case, run.execute(resuming))}


def recalibrate(
    session: CaseSession, values: Values, cancel: CancelToken, replies: Replies
) -> Json:
    """Learns the calibration of a run again and computes its results again, without decoding."""
    from engine.pipeline.recalibration import recalibrate as derive_again

    start = time.monotonic()
    fields = expected.RecalibrateFields.read(values)
    run_id, regions = fields.run_id, _read_regions(fields)
    with session.join() as case:
        derivation = derive_again(
            case, run_id, fields.normal_spans, regions, cancel, replies.progress
        )
        return {
            "run_id": run_id,
            "derivation_id": derivation.id,
            "events": len(case.results.events(run_id)),
            "trajectories": len(case.results.trajectory_summaries(run_id)),
            "wall_s": time.monotonic() - start,
        }


def verify(session: CaseSession, values: Values, cancel: CancelToken, replies: Replies) -> Json:
    """Checks evidence, records and chain; changed evidence is put on record.

    `head` is one of the audit log noted elsewhere, `also` names other hashes of evidence.
    """
    from engine.pipeline.evidence_check import (
        changed_evidence,
        record_mismatches,
        verification_json,
        verify_case,
    )

    fields = expected.VerifyFields.read(values)
    with session.join() as case:
        verification, hashes = verify_case(case, fields.also, fields.head, cancel, replies.progress)
        if not verification.bad and verification.first_bad is None:
            record_mismatches(case, changed_evidence(verification))
    return verification_json(verification, hashes)


def make_report(
    session: CaseSession, values: Values, cancel: CancelToken, replies: Replies
) -> Json:
    """Writes a report of the whole case, or with `preview` pictures of its pages."""
    from engine.report.write_report import preview_report, write_report

    fields = expected.ReportFields.read(values)
    with session.join() as case:
        if fields.preview:
            pages = preview_report(
                case, tagged=fields.tagged, cancel=cancel, progress=replies.progress
            )
            return {"pages": [str(page) for page in pages]}
        content, written = write_report(
            case,
            Path(expected.need_word(fields.to, "to")),
            tagged=fields.tagged,
            beside_evidence=fields.beside_evidence,
            cancel=cancel,
            progress=replies.progress,
        )
    return {
        "path": str(written.path),
        "sha256": written.sha256,
        "size": written.size,
        "audit_head": content.audit_head,
    }


def export(session: CaseSession, values: Values, cancel: CancelToken, replies: Replies) -> Json:
    """Exports from a finished run: a still, a clip, arrays, regions or trajectories."""
    from engine.export.export_run import ExportRequest, export_run
    from engine.export.still_marks import parse_marks

    fields = expected.ExportFields.read(values)
    request = ExportRequest(
        Path(fields.to),
        fields.start,
        fields.end,
        fields.beside_evidence,
        parse_marks(list(fields.marks)),
        fields.compared,
    )
    with session.join() as case:
        evidence = case.evidence.get(fields.evidence_id)
        run = case.runs.resolve(evidence, fields.run_id)
        exported = export_run(case, evidence, run, request, cancel, replies.progress)
    return {
        "files": [
            {"path": str(file.path), "sha256": file.sha256, "size": file.size}
            for file in exported.files
        ],
        "first_frame": exported.first_frame,
        "last_frame": exported.last_frame,
    }


def archive(session: CaseSession, values: Values, cancel: CancelToken, replies: Replies) -> Json:
    """Writes the case into one file."""
    from engine.archive.archive_writer import write_archive

    fields = expected.ArchiveFields.read(values)
    with session.join() as case:
        archived = write_archive(
            case,
            Path(fields.to),
            with_evidence=fields.with_evidence,
            beside_evidence=fields.beside_evidence,
            cancel=cancel,
            progress=replies.progress,
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


def ask(session: CaseSession, values: Values, cancel: CancelToken, replies: Replies) -> Json:
    """Asks about an event or a span; pieces of the answer are sent as they are generated.

    With `prepare` nothing is asked: a model reads the evidence, so that the answer comes sooner.
    """
    from engine.dialogue.ask_case import ask as ask_case
    from engine.dialogue.ask_case import prepare
    from engine.dialogue.turn import AskRequest
    from engine.tvad.language.runtime import Sampling

    fields = expected.AskFields.read(values)
    tokens = Sampling().max_tokens if fields.most_tokens is None else fields.most_tokens
    if not 1 <= tokens <= _MAX_TOKENS:
        raise BadInputError("a number of tokens out of range", tokens, f"use 1 to {_MAX_TOKENS}")
    request = AskRequest(
        question=fields.question if isinstance(fields.question, str) else "",
        evidence_id=fields.evidence_id,
        event_id=fields.event_id,
        span=None if fields.span is None else parse_span(fields.span),
        facts_only=fields.facts_only,
        pack=fields.pack,
        runtime=fields.runtime,
        sampling=Sampling(tokens, fields.seed),
        fresh=fields.fresh,
    )
    with session.join() as case:
        if fields.prepare:
            return {"prepared": prepare(case, request, session.models, cancel)}
        return ask_case(case, request, session.models, replies.token, cancel, replies.progress)


def teach(session: CaseSession, values: Values, cancel: CancelToken, replies: Replies) -> Json:
    """Teaches a variant from marks; with `repeat` teaches one again and compares.

    The answer holds the scores of every analysed frame of the marked evidence before and after.
    """
    from engine.few_shot.marks import parse_marks
    from engine.few_shot.teach_variant import repeat_teaching
    from engine.few_shot.teach_variant import teach as teach_variant

    fields = expected.TeachFields.read(values)
    with session.join() as case:
        if fields.repeat is not None:
            return {"same": repeat_teaching(case, fields.repeat, cancel, replies.progress)}
        marks, name = parse_marks(list(fields.marks)), expected.need_word(fields.name, "name")
        return teach_variant(case, marks, name, cancel, replies.progress).as_json(curves=True)


def find(session: CaseSession, values: Values, cancel: CancelToken, replies: Replies) -> Json:
    """Ranks moments by likeness to an event's target, to marked targets, or to words."""
    from engine.few_shot.marks import parse_marks
    from engine.few_shot.similarity_search import find_by_text, find_similar

    fields = expected.FindFields.read(values)
    text, event = fields.text, fields.event_id
    if (text is not None) + (event is not None) + bool(fields.marks) != 1:
        raise BadInputError("say what to look for", "", "give text, event_id or marks")
    with session.join() as case:
        if text is not None:
            return find_by_text(case, text, cancel, replies.progress).as_json()
        marks = parse_marks(list(fields.marks)) if fields.marks else ()
        return find_similar(case, event, marks, cancel, replies.progress).as_json()


def packs(session: CaseSession, values: Values, cancel: CancelToken, replies: Replies) -> Json:
    """Lists the packs that are there, and the memory they need against the memory there."""
    from engine.packs.pack_listing import packs_json

    return packs_json()


Handler = Callable[[CaseSession, Values, CancelToken, Replies], Json]

HANDLERS: Mapping[str, Handler] = {
    protocol.ADD: add,
    protocol.ANALYSE: analyse,
    protocol.RECALIBRATE: recalibrate,
    protocol.ASK: ask,
    protocol.TEACH: teach,
    protocol.FIND: find,
    protocol.VERIFY: verify,
    protocol.REPORT: make_report,
    protocol.EXPORT: export,
    protocol.ARCHIVE: archive,
    protocol.PACKS: packs,
}


def _with_variant(case: Case, name: str | None, recipe: Recipe) -> Recipe:
    """Returns a recipe that uses the named variant, with all channels."""
    from engine.pipeline.variant import with_variant

    if name is None:
        return recipe
    settings = replace(recipe.settings, channels=VARIANT_CHANNELS)
    return with_variant(case, replace(recipe, settings=settings), name)


def _read_regions(fields: expected.RegionFields) -> RegionMask:
    from engine.pipeline.region_mask import RegionMask, parse_polygons

    polygons = [[] if each == () else each for each in (fields.ignore, fields.interest)]
    return RegionMask(*map(parse_polygons, polygons))


def _channels(
    fields: expected.AnalyseFields,
) -> tuple[tuple[str, ...], TextRecipe | None, Pack | None]:
    """Reads which channels run, and returns recipe and pack of the text channel."""
    channels = order_channels(fields.channels or (SCENE,), lambda names: names[0][:80])
    if TEXT not in channels:
        return channels, None, None
    from engine.detectors.text.text_setup import make_text_recipe
    from engine.packs.pack import find_pack
    from engine.packs.prompt_sets import parse_prompts

    prompts = None if fields.prompts is None else parse_prompts(fields.prompts, "the request")
    pack = find_pack(fields.pack)
    return channels, make_text_recipe(pack, prompts, fields.device), pack
