"""Variants of the pack: taught by marks, used, compared, deleted."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from PySide6.QtCore import Signal

from desktop.operations.channel_choice import ChannelChoice
from desktop.operations.evidence_operations import EvidenceOperations
from desktop.operations.operations import Operations
from desktop.session.case_edits import SetRemoved
from desktop.session.session import Session
from desktop.session.view_loader import run_curves
from desktop.state.evidence_view import Curve, OtherCurve
from engine import protocol
from engine.case import Case
from engine.core.channels import VARIANT_CHANNELS


@dataclass(frozen=True)
class VariantItem:
    """A variant of the case, or the original pack, with its run of the evidence on screen.

    Attributes:
        id: of the variant; 0 for the original pack.
        name: of the variant; empty for the original pack.
        description: by which marks it was taught, and by whom.
        run_id: its newest finished run of this evidence; None without.
        is_current: whether that is the run on screen.
    """

    id: int
    name: str
    description: str
    run_id: int | None
    is_current: bool

    @property
    def title(self) -> str:
        """The name on screen."""
        return self.name or "Original pack (no variant)"


class VariantOperations(Operations):
    """Teaches variants by the marks, and chooses the one that is used.

    Args:
        session: the open case.
        evidence: analyses with a variant.
    """

    listed = Signal(object)
    """tuple[VariantItem, ...]: the original pack, and the variants of the case."""

    def __init__(self, session: Session, evidence: EvidenceOperations) -> None:
        super().__init__(session)
        self._evidence = evidence
        self._previews: dict[str, tuple[OtherCurve, ...]] = {}
        session.closed.connect(self._clear)

    def teach(self, name: str) -> None:
        """Teaches a variant by the marks so far; its curve is shown beside the present one."""
        work, marks = self._writable_work(), self._state.targets.value
        if work is not None and not marks:
            self._refuse("no marks", "", "mark a target in two or three frames")
        elif work is not None:
            chosen = name.strip() or marks[0].name
            work.ask(
                f'teaching "{chosen}"',
                protocol.TEACH,
                partial(self._show_preview, chosen),
                marks=[mark.fields() for mark in marks],
                name=chosen,
            )

    def relist(self) -> None:
        """Reads the variants of the case; `listed` follows."""
        view = self._state.evidence.value
        if view is not None:
            run_id = None if view.run is None else view.run.id
            evidence_id = view.evidence.id
            self._session.read(
                lambda case: variant_items(case, evidence_id, run_id), self.listed.emit
            )

    def use(self, item: VariantItem) -> None:
        """Uses a variant, or the original pack, for the evidence on screen."""
        view = self._state.evidence.value
        if view is None or item.is_current:
            return
        if item.run_id is not None:
            self._state.compared.set(())
            self._evidence.make_current(view.evidence.id, item.run_id)
        elif item.name:
            self._state.compared.set(())
            choice = ChannelChoice(VARIANT_CHANNELS, variant=item.name)
            self._evidence.analyse(view.evidence.id, "resume", channels=choice)
        else:
            self._report_unused(item)

    def compare(self, item: VariantItem) -> None:
        """Shows the scores of a variant, or of the original pack, beside those on screen."""
        view = self._state.evidence.value
        if view is None:
            return
        run_id, evidence_id, name = item.run_id, view.evidence.id, item.title
        previews = self._previews.get(item.name, ())
        if run_id is not None:

            def read(case: Case) -> tuple[OtherCurve, ...]:
                curves = run_curves(case, case.runs.get(run_id))
                return tuple(OtherCurve(evidence_id, name, curve) for curve in curves.values())[:1]

            self._session.read(read, self._state.compared.set)
        elif any(preview.evidence_id == evidence_id for preview in previews):
            self._state.compared.set(previews)
        else:
            self._report_unused(item)

    def stop_comparing(self) -> None:
        """Removes the curve of the compared variant."""
        self._state.compared.set(())

    def delete(self, item: VariantItem) -> None:
        """Deletes a variant; Undo brings it back, and runs that used it stay."""
        if not item.id:
            self._refuse("the pack itself is not thrown away", "", "select a variant")
            return
        self._state.compared.set(())
        self._session.editor.edit(SetRemoved("variant", item.id, True, "Delete variant"))

    def _report_unused(self, item: VariantItem) -> None:
        view = self._state.evidence.value
        where = "" if view is None else view.evidence.name
        if item.name:
            self._refuse(f'"{item.name}" was not used on this file yet', where, "use it first")
        else:
            self._refuse(
                "this file was never analysed with the pack as it is",
                where,
                "analyse it under Evidence, Channels and prompts",
            )

    def _show_preview(self, name: str, fields: dict[str, Any]) -> None:
        previews = fields.get("preview", [])
        self._previews[name] = tuple(_preview_curve(name, preview) for preview in previews)
        self._state.compared.set(self._previews[name])
        self._session.reload()
        before, after = (
            sum(int(preview[f"events_{when}"]) for preview in previews)
            for when in ("before", "after")
        )
        text = f'Taught "{name}": events in the marked files now {before}, with it {after}'
        self.news.emit("; ".join([text, *fields.get("warnings", [])]))

    def _clear(self) -> None:
        self._previews = {}
        self._state.compared.set(())


def variant_items(case: Case, evidence_id: int, run_id: int | None) -> tuple[VariantItem, ...]:
    """Returns the original pack, then the variants of a case in the order they were taught.

    Args:
        case: open for reading.
        evidence_id: whose runs are considered.
        run_id: the run on screen.
    """
    runs: dict[str, int] = {}
    for run in case.runs.all(evidence_id):
        settings = json.loads(run.settings)
        if run.state == "finished":
            runs[(settings.get("variant") or {}).get("sha256", "")] = run.id
    items = [VariantItem(0, "", "without what was taught", runs.get(""), False)]
    for row in case.variants.all():
        marks = json.loads(row.variant.marks)
        names = ", ".join(sorted({str(mark["name"]) for mark in marks}))
        count = f"{len(marks)} mark{'s' if len(marks) > 1 else ''}"
        text = f"{count}: {names} · by {row.author}"
        items.append(VariantItem(row.id, row.variant.name, text, runs.get(row.sha256), False))
    return tuple(
        replace(item, is_current=item.run_id is not None and item.run_id == run_id)
        for item in items
    )


def _preview_curve(name: str, preview: dict[str, Any]) -> OtherCurve:
    frames = np.array(preview["frames"], np.int64)
    scores = np.array(preview["after"], np.float32)
    return OtherCurve(int(preview["evidence_id"]), name, Curve(frames, scores))
