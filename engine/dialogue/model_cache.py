"""Loaded models and the evidence they have read, kept between questions.

A worker holds one shelf. The evidence of a span is read by the model once, when the span is first
asked about or prepared; further questions about it find it there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.case import Case, RunRow
from engine.core.errors import ResourceError
from engine.core.progress import CancelToken

# A worker that is never asked anything loads nothing of this.
if TYPE_CHECKING:
    from engine.dialogue.conversation import Conversation
    from engine.dialogue.dialogue_model import DialogueModel, SpanEvidence
    from engine.dialogue.facts import AskedSpan
    from engine.media import Source
    from engine.packs.pack import Pack
    from engine.tvad.backbones.backbone import Backbone

Key = tuple[str, int, int | None, int, int]


class ModelShelf:
    """At most one language model, one backbone and one conversation at a time."""

    def __init__(self) -> None:
        self._packs: dict[str, tuple[Pack, str]] = {}
        self._model: tuple[tuple[str, str], DialogueModel] | None = None
        self._backbone: tuple[str, Backbone] | None = None
        self._conversation: tuple[Key, Conversation] | None = None
        self._pack = ""

    def pack_said(self, name: str) -> tuple[str, str]:
        """Returns the name that a pack gives itself, and the hash of its manifest.

        Raises:
            BadInputError: the pack is unsound.
            ResourceError: there is no such pack.
        """
        pack, sha256 = self._found(name)
        return pack.name, sha256

    def model(self, pack: str, runtime: str) -> DialogueModel:
        """Returns the language model of a pack, loading it the first time.

        Raises:
            BadInputError: the pack's parts do not fit each other, or a hash differs.
            ResourceError: there is no such pack, no language model in it, or too little memory.
        """
        found, sha256 = self._found(pack)
        key = (sha256, runtime)
        if self._model is None or self._model[0] != key:
            from engine.packs.pack_memory import fits, this_machine

            if not fits(found.memory, this_machine()):
                raise ResourceError(
                    f"too little memory for the pack {found.name}",
                    "",
                    "facts remain; close other programs or use a smaller pack",
                )
            from engine.dialogue.dialogue_model import open_dialogue_model

            self._model, self._conversation = None, None
            self._model = (key, open_dialogue_model(found, runtime))
        self._pack = pack
        return self._model[1]

    def conversation(
        self,
        case: Case,
        model: DialogueModel,
        run: RunRow,
        span: AskedSpan,
        source: Source,
        cancel: CancelToken | None = None,
    ) -> Conversation:
        """Returns a conversation whose evidence the model has read.

        Raises:
            BadInputError: the evidence takes too many positions, or a frame cannot be decoded.
            CancelledError: it was asked to stop.
        """
        from engine.dialogue.conversation import Conversation

        derivation = case.results.current(run.id)
        key = (
            str(case.path), run.id, None if derivation is None else derivation.id,
            span.first, span.last,
        )  # fmt: skip
        if self._conversation is None or self._conversation[0] != key:
            self._conversation = None
            parts = model.parts(self._evidence(case, run, span, source, cancel))
            self._conversation = (key, Conversation(model.runtime, parts, cancel=cancel))
        return self._conversation[1]

    def _evidence(
        self,
        case: Case,
        run: RunRow,
        span: AskedSpan,
        source: Source,
        cancel: CancelToken | None,
    ) -> SpanEvidence:
        from engine.dialogue.dialogue_model import span_evidence
        from engine.dialogue.span_evidence import heat_at, leading_channel

        backbone = self._opened_backbone()
        channel = leading_channel(case, run)
        return span_evidence(
            backbone,
            source,
            (span.first, span.last),
            lambda frames: heat_at(case, run, channel, frames),
            cancel,
        )

    def _opened_backbone(self) -> Backbone:
        pack, sha256 = self._found(self._pack)
        if self._backbone is None or self._backbone[0] != sha256:
            from engine.tvad.backbones.registry import open_backbone

            self._backbone = (sha256, open_backbone(pack))
        return self._backbone[1]

    def _found(self, name: str) -> tuple[Pack, str]:
        if name not in self._packs:
            from engine.media import hash_file
            from engine.packs.manifest_schema import MANIFEST
            from engine.packs.pack import find_pack

            pack = find_pack(name)
            self._packs[name] = (pack, str(hash_file(pack.folder / MANIFEST)["sha256"]))
        return self._packs[name]
