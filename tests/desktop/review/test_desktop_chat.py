"""The chat: facts first, answers apart from them, and nothing that was asked is lost."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.panels.chat_panel import ChatPanel
from desktop.panels.chat_text import conversation_html
from desktop.state.conversation import ConversationView, ShownTurn, Subject
from desktop.state.view_state import Marks, ViewState
from desktop.theme.theme_tokens import DARK
from engine.case import Case
from engine.case.tables.dialogues import CitationRow, NewCitation, TurnRow
from engine.packs.pack_folders import PACKS_VARIABLE
from tests.desktop.conftest import Drive
from tests.desktop.driving import Driver

FACT = {"text": "The span lasts 2 s.", "start_s": 1.0, "end_s": 3.0, "trajectory_id": None}


def turn(number: int = 1, **changes: object) -> ShownTurn:
    row = TurnRow(
        question=str(changes.pop("question", "Is there any anomaly?")),
        facts=(FACT,),
        settings={},
        pack=None if changes.get("answer") is None else "compact",
        pack_sha256=None,
        runtime="llama.cpp",
        missing=changes.pop("missing", None),  # type: ignore[arg-type]
        state=changes.pop("state", "complete"),  # type: ignore[arg-type]
        id=number, dialogue_id=1, number=number, answer=changes.get("answer"),  # type: ignore[arg-type]
        tokens=3, first_token_s=None, tokens_per_s=None, agrees=changes.get("agrees"),  # type: ignore[arg-type]
        dropped_turns=int(changes.get("dropped", 0)), author="me", utc="2026-01-01",  # type: ignore[call-overload]
    )  # fmt: skip
    return ShownTurn(row, (CitationRow(1, number, NewCitation(1, 1.0, 3.0, 10, 30, 7)),))


def chat(driver: Driver) -> ChatPanel:
    return driver.window.chat


def until_answered(driver: Driver, turns: int) -> None:
    driver.until(
        lambda: (
            len(driver.state.conversation.value.turns) == turns
            and not driver.state.conversation.value.busy
        ),
        f"{turns} turns",
    )


def test_what_was_typed_or_said_stays_text() -> None:
    evil = '<img src="file:///etc/passwd"><a href="at:0:0">x</a>'
    html = conversation_html([turn(question=evil, answer=evil)], {}, DARK)
    assert "<img" not in html
    assert html.count("&lt;img") == 2


def test_facts_stand_before_the_answer_and_once_when_they_are_the_same() -> None:
    html = conversation_html([turn(1, answer="Yes."), turn(2, answer="No.")], {7: 4}, DARK)
    assert html.index("The span lasts") < html.index("Yes.")
    assert html.count("The span lasts") == 1
    assert "as above" in html
    assert "[#4 00:01.0 – 00:03.0]" in html


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"answer": "No.", "agrees": False}, "Disagrees with the heatmap"),
        ({"answer": "It", "state": "cancelled"}, "Incomplete: stopped"),
        ({"answer": "It", "state": "interrupted"}, "Incomplete: the engine process ended"),
        ({"answer": "It", "dropped": 2}, "oldest 2 turns no longer fitted"),
        ({"answer": None, "missing": "no pack"}, "No answer of a language model: no pack"),
    ],
)
def test_what_an_examiner_must_know_of_an_answer_is_said(
    changes: dict[str, object], words: str
) -> None:
    assert words in conversation_html([turn(**changes)], {}, DARK)  # type: ignore[arg-type]


def test_an_answer_appears_as_it_is_said(qtbot: QtBot, qapp: QApplication) -> None:
    from PySide6.QtGui import QAction

    state = ViewState()
    panel = ChatPanel(state, *(QAction(name, qapp) for name in ("Add", "Analyse", "Interview")))
    qtbot.addWidget(panel)
    subject = Subject(1, 1.0, 3.0, 5)
    state.conversation.set(ConversationView(subject, question_under_way="Where to?", busy=True))
    for piece in ("To the ", "left <b>."):
        panel.add_piece(piece)
    assert panel.text.toPlainText().endswith("To the left <b>.")
    state.conversation.set(ConversationView(subject, (turn(answer="To the left."),)))
    assert "Machine-written, pack compact, llama.cpp" in panel.text.toPlainText()
    assert "About event 5" in panel.about.text()


def test_facts_of_an_event_come_with_places_to_go_to_and_stay_in_the_case(
    drive: Drive, sample_case: Path
) -> None:
    def script(driver: Driver) -> None:
        driver.until_shown()
        driver.key(Qt.Key.Key_N)
        driver.do("dialogue.facts")
        until_answered(driver, 1)
        (answered,) = driver.state.conversation.value.turns
        assert answered.row.facts
        assert "usual speed" in chat(driver).text.toPlainText()
        cited = [row.citation for row in answered.citations if row.citation.trajectory_id]
        driver.state.position.set(0)
        chat(driver).text.anchorClicked.emit(
            QUrl(f"at:{cited[0].start_s:.3f}:{cited[0].trajectory_id}")
        )
        driver.until_exact()
        assert driver.shown.pts == cited[0].start_pts
        assert driver.state.selection.value is not None
        assert driver.state.selection.value.kind == "trajectory"
        assert driver.state.conversation.value.turns == (answered,)

    assert drive([str(sample_case)], script) == 0

    def again(driver: Driver) -> None:
        driver.until_shown()
        driver.key(Qt.Key.Key_N)
        until_answered(driver, 1)

    assert drive([str(sample_case)], again) == 0


def test_without_a_language_model_facts_stand_and_the_panel_says_what_is_missing(
    drive: Drive, sample_case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PACKS_VARIABLE, str(tmp_path / "no packs"))

    def script(driver: Driver) -> None:
        driver.until_shown()
        chat(driver).pack_chosen.emit("absent")
        chat(driver).field.setText("  Where to? ")
        chat(driver).field.returnPressed.emit()
        until_answered(driver, 1)
        assert chat(driver).field.text() == ""
        text = chat(driver).text.toPlainText()
        assert "No answer of a language model" in text
        assert "usual speed" in text

    assert drive([str(sample_case)], script) == 0


def test_a_span_of_the_examiners_own_can_be_asked_about(drive: Drive, sample_case: Path) -> None:
    def script(driver: Driver) -> None:
        driver.until_shown()
        driver.state.marks.set(Marks(1.0, 2.0))
        driver.do("dialogue.facts")
        until_answered(driver, 1)
        (answered,) = driver.state.conversation.value.turns
        assert answered.citations[0].citation.start_s == pytest.approx(1.0, abs=0.05)
        assert "About a span" in chat(driver).about.text()
        driver.key(Qt.Key.Key_N)
        until_answered(driver, 0)

    assert drive([str(sample_case)], script) == 0


def test_a_case_for_reading_only_says_why_nothing_can_be_asked(
    drive: Drive, sample_case: Path
) -> None:
    with Case.open(sample_case, write=True):

        def script(driver: Driver) -> None:
            driver.until_shown()
            assert not driver.window.commands.action("dialogue.interview").isEnabled()
            chat(driver).question_asked.emit("Where to?")
            assert "reading only" in driver.window.notice.text

        assert drive([str(sample_case)], script) == 0


def test_the_packs_that_can_answer_are_offered_and_the_choice_is_remembered(
    drive: Drive, sample_case: Path
) -> None:
    def script(driver: Driver) -> None:
        driver.until_shown()
        panel = chat(driver)
        panel.packs_requested.emit()
        actions = panel._packs.actions()
        assert [action.text() for action in actions if action.isChecked()] == ["compact"]
        panel.pack_chosen.emit("other")

    assert drive([str(sample_case)], script) == 0

    def again(driver: Driver) -> None:
        driver.until_shown()
        assert driver.workspace.settings.value.answering_pack == "other"

    assert drive([str(sample_case)], again) == 0


def test_an_answer_is_heard_word_by_word_and_stays_as_it_was_heard(
    drive: Drive, sample_case: Path
) -> None:
    heard: list[str] = []

    def script(driver: Driver) -> None:
        driver.until_shown()
        driver.key(Qt.Key.Key_N)
        driver.workspace.dialogue.token_received.connect(heard.append)
        driver.workspace.dialogue.ask("From where to where?")
        until_answered(driver, 1)
        (answered,) = driver.state.conversation.value.turns
        assert answered.row.state == "complete"
        assert len(heard) > 3
        assert "".join(heard).strip() == answered.row.answer
        assert "Machine-written, pack compact" in chat(driver).text.toPlainText()

    assert drive([str(sample_case)], script) == 0


def test_a_stopped_answer_is_kept_and_marked(drive: Drive, sample_case: Path) -> None:
    def script(driver: Driver) -> None:
        driver.until_shown()
        driver.key(Qt.Key.Key_N)
        dialogue = driver.workspace.dialogue
        dialogue.token_received.connect(lambda _piece: dialogue.stop())
        dialogue.interview()
        until_answered(driver, 1)
        (answered,) = driver.state.conversation.value.turns
        assert answered.row.state == "cancelled"
        assert answered.row.answer
        assert "Incomplete: stopped by the examiner" in chat(driver).text.toPlainText()

    assert drive([str(sample_case)], script) == 0


def test_a_worker_that_dies_while_it_answers_loses_nothing(drive: Drive, sample_case: Path) -> None:
    killed: list[int] = []

    def script(driver: Driver) -> None:
        driver.until_shown()
        driver.key(Qt.Key.Key_N)
        dialogue_worker = driver.session.dialogue_worker
        assert dialogue_worker is not None

        def kill(_piece: str) -> None:
            if not killed:
                killed.append(dialogue_worker.process_id)
                os.kill(dialogue_worker.process_id, signal.SIGKILL)

        driver.workspace.dialogue.token_received.connect(kill)
        driver.workspace.dialogue.ask("From where to where?")
        driver.until(lambda: "while it answered" in driver.window.notice.text, "what happened")
        until_answered(driver, 2)
        states = [answered.row.state for answered in driver.state.conversation.value.turns]
        assert states == ["interrupted", "complete"]
        assert dialogue_worker.process_id not in killed

    assert drive([str(sample_case)], script) == 0
