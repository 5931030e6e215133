"""Variants of the pack: taught by marks, switched, compared, thrown away."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from desktop.operations.channel_choice import ChannelChoice
from desktop.operations.evidence_operations import EvidenceOperations
from desktop.session.case_edits import SetRemoved
from desktop.session.session import Session
from desktop.session.view_loader import run_curves
from desktop.state.evidence_view import Curve, OtherCurve
from engine import protocol
from engine.case import Case
from engine.core.errors import BadInputError


@dataclass(frozen=True)
class VariantItem:
    """A variant of the case, or the pack as it is, against the evidence on screen.

    Attributes:
        id: of the variant; 0 for the pack as it is.
        name: of the variant; empty for the pack as it is.
        said: by what it was taught, and by whom.
        run_id: its newest finished run of this evidence; None without.
        counts: whether that is the run on screen.
    """

    id: int
    name: str
    said: str
    run_id: int | None
    counts: bool

    @property
    def title(self) -> str:
        """What it is called."""
        return self.name or "The pack as it is"


class VariantOperations(QObject):
    """Teaches variants by the marks, and says which one counts.

    Args:
        session: the open case.
        evidence: analyses with a variant.
    """

    problem = Signal(object)
    """A SightlineError to be shown once."""

    said = Signal(str)
    """Something to know that is not seen otherwise."""

    listed = Signal(object)
    """tuple[VariantItem, ...]: the pack as it is, and the variants of the case."""

    def __init__(self, session: Session, evidence: EvidenceOperations) -> None:
        super().__init__()
        self._session = session
        self._state = session.state
        self._evidence = evidence
        self._previews: dict[str, tuple[OtherCurve, ...]] = {}
        session.closed.connect(self._closed)

    def teach(self, name: str) -> None:
        """Teaches a variant by the marks so far; its curve is shown beside the present one."""
        work, marks = self._session.work, self._state.targets.value
        if work is None:
            self.problem.emit(self._evidence.cannot_write())
        elif not marks:
            self.problem.emit(BadInputError("no marks", "", "mark a target in two or three frames"))
        else:
            chosen = name.strip() or marks[0].name
            work.ask(
                f'teaching "{chosen}"',
                protocol.TEACH,
                partial(self._taught, chosen),
                marks=[one.fields() for one in marks],
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
        """Lets a variant, or the pack as it is, count for the evidence on screen."""
        view = self._state.evidence.value
        if view is None or item.counts:
            return
        if item.run_id is not None:
            self._state.compared.set(())
            self._evidence.let_count(view.evidence.id, item.run_id)
        elif item.name:
            self._state.compared.set(())
            choice = ChannelChoice(("scene", "text"), variant=item.name)
            self._evidence.analyse(view.evidence.id, "resume", channels=choice)
        else:
            self._not_used(item)

    def compare(self, item: VariantItem) -> None:
        """Shows the scores of a variant, or of the pack as it is, beside those on screen."""
        view = self._state.evidence.value
        if view is None:
            return
        run_id, evidence_id, name = item.run_id, view.evidence.id, item.title
        known = self._previews.get(item.name, ())
        if run_id is not None:

            def read(case: Case) -> tuple[OtherCurve, ...]:
                curves = run_curves(case, case.runs.get(run_id))
                return tuple(OtherCurve(evidence_id, name, one) for one in curves.values())[:1]

            self._session.read(read, self._state.compared.set)
        elif any(one.evidence_id == evidence_id for one in known):
            self._state.compared.set(known)
        else:
            self._not_used(item)

    def compare_no_more(self) -> None:
        """Takes the other curve away."""
        self._state.compared.set(())

    def discard(self, item: VariantItem) -> None:
        """Throws a variant away; Undo brings it back, and runs that used it stay."""
        if not item.id:
            self.problem.emit(
                BadInputError("the pack itself is not thrown away", "", "select a variant")
            )
            return
        self._state.compared.set(())
        self._session.editor.edit(SetRemoved("variant", item.id, True, "Throw variant away"))

    def _not_used(self, item: VariantItem) -> None:
        view = self._state.evidence.value
        where = "" if view is None else view.evidence.name
        if item.name:
            self.problem.emit(
                BadInputError(f'"{item.name}" was not used on this file yet', where, "use it first")
            )
        else:
            self.problem.emit(
                BadInputError(
                    "this file was never analysed with the pack as it is", where,
                    "analyse it under Evidence, Channels and prompts",
                )
            )  # fmt: skip

    def _taught(self, name: str, fields: dict[str, Any]) -> None:
        previews = fields.get("preview", [])
        self._previews[name] = tuple(_other(name, one) for one in previews)
        self._state.compared.set(self._previews[name])
        self._session.reload()
        before, after = (
            sum(int(one[f"events_{when}"]) for one in previews) for when in ("before", "after")
        )
        said = f'Taught "{name}": events in the marked files now {before}, with it {after}'
        self.said.emit("; ".join([said, *fields.get("warnings", [])]))

    def _closed(self) -> None:
        self._previews = {}
        self._state.compared.set(())


def variant_items(case: Case, evidence_id: int, shown: int | None) -> tuple[VariantItem, ...]:
    """Returns the pack as it is, then the variants of a case in order of making.

    Args:
        case: open for reading.
        evidence_id: whose runs are looked at.
        shown: the run on screen.
    """
    runs: dict[str, int] = {}
    for run in case.runs.all(evidence_id):
        settings = json.loads(run.settings)
        if run.state == "finished":
            runs[(settings.get("variant") or {}).get("sha256", "")] = run.id
    items = [VariantItem(0, "", "without what was taught", runs.get(""), False)]
    for row in case.variants.all():
        marks = json.loads(row.variant.marks)
        names = ", ".join(sorted({str(one["name"]) for one in marks}))
        count = f"{len(marks)} mark{'s' if len(marks) > 1 else ''}"
        said = f"{count}: {names} · by {row.author}"
        items.append(VariantItem(row.id, row.variant.name, said, runs.get(row.sha256), False))
    return tuple(
        replace(one, counts=one.run_id is not None and one.run_id == shown) for one in items
    )


def _other(name: str, preview: dict[str, Any]) -> OtherCurve:
    frames = np.array(preview["frames"], np.int64)
    scores = np.array(preview["after"], np.float32)
    return OtherCurve(int(preview["evidence_id"]), name, Curve(frames, scores))
