"""The worker's request: an answer comes in tokens and can be stopped."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.case import Case
from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, Progress
from engine.packs.pack import Pack, read_pack
from engine.worker.requests import ask
from engine.worker.worker_session import CaseSession, Replies


class TokenCollector(Replies):
    """Keeps tokens, and stops the answer after some of them."""

    def __init__(self, cancel: CancelToken, most: int) -> None:
        self.tokens: list[str] = []
        self._cancel = cancel
        self._most = most

    def progress(self, progress: Progress) -> None:
        pass

    def chunk(self, **fields: object) -> None:
        raise AssertionError("nothing is analysed")

    def token(self, text: str) -> None:
        self.tokens.append(text)
        if len(self.tokens) == self._most:
            self._cancel.cancel()


def test_an_answer_comes_in_tokens_and_stops_between_two_of_them(case: Path, pack: Pack) -> None:
    with Case.open(case, write=True) as owned:
        session = CaseSession(case, owned.token or "")
        fields = {"question": "Is there any anomaly?", "pack": "talking", "seed": 4}
        cancel = CancelToken()
        collector = TokenCollector(cancel, 1000)
        whole = ask(session, fields, cancel, collector)
        assert "".join(collector.tokens).strip() == whole["answer"]
        cancel = CancelToken()
        collector = TokenCollector(cancel, 2)
        part = ask(session, {**fields, "fresh": True}, cancel, collector)
        assert part["state"] == "cancelled"
        assert len(collector.tokens) == 2
        assert whole["answer"].startswith(part["answer"])


def test_fields_of_a_request_are_not_trusted(case: Path, pack: Pack) -> None:
    with Case.open(case, write=True) as owned:
        session = CaseSession(case, owned.token or "")
        cancel = CancelToken()
        collector = TokenCollector(cancel, 1)
        for fields in (
            {"question": 7},
            {"question": "Is it?", "most_tokens": 10_000},
            {"question": "Is it?", "span": "never"},
            {"question": "Is it?", "event_id": "1"},
        ):
            with pytest.raises(BadInputError):
                ask(session, fields, cancel, collector)


def test_a_question_reads_the_manifest_of_its_pack_once(
    case: Path, pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders: list[Path] = []

    def counted(folder: Path) -> Pack:
        folders.append(folder)
        return read_pack(folder)

    monkeypatch.setattr("engine.packs.pack.read_pack", counted)
    with Case.open(case, write=True) as owned:
        session = CaseSession(case, owned.token or "")
        cancel = CancelToken()
        fields = {"question": "Is there any anomaly?", "pack": "talking", "most_tokens": 1}
        ask(session, fields, cancel, TokenCollector(cancel, 1000))
    assert folders == [pack.folder]
