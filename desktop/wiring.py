"""Connects the window with what is behind it: one place that knows both."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QApplication

from desktop.commands import catalogue
from desktop.commands import window_commands as of_window
from desktop.commands.channel_commands import channel_commands
from desktop.commands.dialogue_commands import dialogue_commands
from desktop.commands.teaching_commands import teaching_commands
from desktop.dialog_actions import Asking
from desktop.operations.case_operations import case_name
from desktop.session.session import OpenCase
from desktop.session.user_settings import UserSettings
from desktop.state.evidence_view import EvidenceView, Polygon
from desktop.state.view_state import Marks, Selection
from desktop.theme.icons import icon
from desktop.theme.stylesheet import apply_theme
from desktop.window import MainWindow
from desktop.workspace import Workspace
from engine.core.errors import BadInputError, SightlineError
from engine.core.progress import Progress
from engine.media import IndexCache

_STRIDES = {1: "Every frame", 2: "Every second frame", 4: "Every fourth frame"}


class Wiring(QObject):
    """Lets panels and operations talk to each other.

    Args:
        application: gets the theme.
        workspace: what is behind the window.
        window: without commands yet.
        log: file of the log.
    """

    def __init__(
        self, application: QApplication, workspace: Workspace, window: MainWindow, log: Path
    ) -> None:
        super().__init__(window)
        self._application = application
        self._workspace = workspace
        self._window = window
        self._asking = Asking(workspace, window, log)
        self._indexing: Progress | None = None
        self._verified = ""
        self._add_commands()
        window.build(workspace.state)
        self._fill_analyse_menu()
        self._connect_operations()
        self._connect_panels()
        self._set_theme(workspace.settings.value.theme)
        window.place_panels(workspace.settings.value.layout, workspace.settings.value.geometry)
        self._settings_changed(workspace.settings.value)
        self._closed()

    def close(self) -> None:
        """Keeps what is to be kept and ends threads and processes."""
        workspace, window = self._workspace, self._window
        window.notes.flush()
        layout, geometry = window.placed
        workspace.settings.set(replace(workspace.settings.value, layout=layout, geometry=geometry))
        window.player.close_threads()
        window.timeline.close_threads()
        workspace.close()

    def _add_commands(self) -> None:
        workspace, window, asking = self._workspace, self._window, self._asking
        for some in (
            of_window.case_commands(workspace, window, asking),
            of_window.edit_commands(workspace, asking),
            of_window.adding_commands(asking),
            catalogue.evidence(workspace.evidence, workspace.session),
            channel_commands(workspace, window),
            dialogue_commands(workspace, window),
            teaching_commands(workspace, window),
            catalogue.regions(workspace.review, window.player),
            of_window.arranging_commands(workspace, asking),
            of_window.going_commands(workspace, asking),
            catalogue.transport(window.player, workspace.state),
            catalogue.review(workspace.review),
            of_window.writing_commands(workspace, asking),
            catalogue.view(workspace.state, workspace.review, window.player, window.timeline),
            of_window.window_commands(window, asking, self._turn_theme),
        ):
            window.commands.add(some)

    def _connect_operations(self) -> None:
        workspace, window = self._workspace, self._window
        session, state = workspace.session, workspace.state
        speakers = (
            workspace.evidence,
            workspace.review,
            workspace.finding,
            workspace.cases,
            workspace.dialogue,
            workspace.teaching,
            workspace.variants,
            workspace.alike,
        )
        for speaker in speakers:
            speaker.said.connect(window.notice.news)
        for source in (session, *speakers):
            source.problem.connect(window.notice.error)
        session.opened.connect(self._opened)
        session.closed.connect(self._closed)
        session.closed.connect(lambda: window.timeline_room.set_empty(True))
        session.listed.connect(window.evidence.set_items)
        session.listed.connect(lambda items: window.timeline_room.set_empty(not items))
        workspace.review.reason_wanted.connect(lambda ids: window.events.reason.ask(ids))
        workspace.evidence.adding.connect(self._adding)
        workspace.evidence.beside_evidence.connect(self._beside_evidence)
        workspace.evidence.verified.connect(self._checked)
        workspace.evidence.compared.connect(self._asking.show_verification)
        workspace.settings.changed.connect(self._settings_changed)
        state.evidence.changed.connect(self._shown)
        window.player.failed.connect(window.notice.error)
        window.notice.details.connect(self._asking.details)
        window.player.watched.connect(workspace.watched)
        window.player.indexing.connect(self._index_progress)
        window.player.canvas.polygon_drawn.connect(self._polygon)
        window.player.canvas.pointed.connect(
            lambda pointed: workspace.teaching.mark(window.teach.name, window.teach.normal, pointed)
        )
        window.status.cancelled.connect(workspace.evidence.cancel)
        window.dropped.connect(workspace.cases.open_any)
        window.closing.connect(self.close)

    def _connect_panels(self) -> None:
        workspace, window, review = self._workspace, self._window, self._workspace.review
        window.evidence.list.chosen.connect(self._choose_evidence)
        window.evidence.asked.connect(self._asked)
        window.events.list.chosen.connect(self._choose_event)
        window.events.triaged.connect(
            lambda ids, state, reason: review.set_state(ids, state, reason)
        )
        window.trajectories.list.chosen.connect(review.go_to_trajectory)
        window.bookmarks.list.chosen.connect(review.go_to_bookmark)
        window.notes.list.chosen.connect(review.go_to_note)
        self._connect_chat()
        window.teach.list.chosen.connect(workspace.teaching.go_to)
        window.teach.removed.connect(workspace.teaching.remove)
        window.bookmarks.amended.connect(review.amend_bookmark)
        window.bookmarks.removed.connect(lambda row: review.remove("bookmark", row))
        window.notes.written.connect(review.add_note)
        window.notes.amended.connect(review.amend_note)
        window.notes.removed.connect(lambda row: review.remove("note", row))
        for panel in (window.events, window.bookmarks, window.notes):
            panel.tagged.connect(review.set_tag)
        workspace.state.selection.changed.connect(self._selected)

    def _connect_chat(self) -> None:
        dialogue, chat = self._workspace.dialogue, self._window.chat

        def ask(question: str) -> None:
            if dialogue.ask(question):
                chat.taken()

        chat.asked.connect(ask)
        chat.facts_asked.connect(dialogue.facts)
        chat.stopped.connect(dialogue.stop)
        chat.again.connect(dialogue.regenerate)
        chat.copied.connect(self._asking.copy_turn)
        chat.cited.connect(lambda start_s, row: dialogue.go_to(start_s, row or None))
        chat.packs_wanted.connect(self._list_packs)
        chat.pack_chosen.connect(self._choose_pack)
        dialogue.spoke.connect(chat.hear)

    def _list_packs(self) -> None:
        # Imported here because reading manifests takes a library that the start does not need.
        from engine.packs.pack_listing import list_packs

        names = [one.name for one in list_packs() if one.pack is not None]
        self._window.chat.set_packs(names, self._workspace.settings.value.answering_pack)

    def _choose_pack(self, name: str) -> None:
        settings = self._workspace.settings
        settings.set(replace(settings.value, answering_pack=name))

    def _opened(self, case: OpenCase) -> None:
        window, session = self._window, self._workspace.session
        self._verified = ""
        window.set_case_name(case_name(case.path), str(case.path))
        # One for all that open a file: the index of a long one is read and held once.
        indexes = IndexCache(case.path / "cache" / "indexes")
        window.player.set_case(case.path, indexes)
        window.timeline.set_indexes(indexes)
        if session.work is not None:
            session.work.changed.connect(self._follow_work)
            session.work.failed.connect(self._work_failed)
            session.work.cancelled.connect(lambda title: window.notice.news(f"Stopped: {title}"))
            session.work.said.connect(window.notice.news)
        session.editor.stacks_changed.connect(self._allow)
        self._allow()

    def _closed(self) -> None:
        window = self._window
        window.notice.hide()
        window.set_case_name("", "")
        window.player.set_case(None, None)
        window.timeline.set_indexes(None)
        window.evidence.set_items(())
        self._workspace.state.marks.set(Marks())
        self._follow_work()
        self._allow()

    def _shown(self, view: EvidenceView | None) -> None:
        self._window.evidence.mark_shown(0 if view is None else view.evidence.id)
        self._allow()
        self._say_integrity()

    def _allow(self) -> None:
        session, there = self._workspace.session, set[str]()
        case, view = session.case, self._workspace.state.evidence.value
        if case is not None:
            there.add("case")
        if view is not None:
            there.add("evidence")
        if case is not None and not case.reading_only:
            there.add("writable")
            there.update(("review",) if view is not None else ())
        undo, redo = session.editor.undo_label, session.editor.redo_label
        there.update(name for name, label in (("undo", undo), ("redo", redo)) if label)
        commands = self._window.commands
        commands.allow(frozenset(there))
        for name, verb, label in (("edit.undo", "Undo", undo), ("edit.redo", "Redo", redo)):
            commands.action(name).setText(f"&{verb} {label.lower()}".rstrip())
        self._say_integrity()

    def _say_integrity(self) -> None:
        session, view = self._workspace.session, self._workspace.state.evidence.value
        said = "Case not verified in this session"
        if session.case is None:
            said = ""
        elif session.case.reading_only:
            said = "Open for reading only"
        elif view is not None and view.mismatches:
            said = "Evidence changed since it was added"
        elif self._verified:
            said = self._verified
        self._window.integrity.setText(said)

    def _checked(self, good: bool, found: str) -> None:
        self._verified = "Case verified" if good else "Verification failed"
        self._say_integrity()
        if good:
            self._window.notice.news(f"Verified: {found}")
        else:
            self._window.notice.error(BadVerification(found))

    def _follow_work(self) -> None:
        work = self._workspace.session.work
        self._window.status.show_work(() if work is None else work.items, self._indexing)

    def _index_progress(self, progress: Progress | None) -> None:
        self._indexing = progress
        self._follow_work()

    def _work_failed(self, title: str, error: SightlineError) -> None:
        self._window.notice.error(
            SightlineError(f"{title}: {error.what}", error.where, error.remedy)
        )

    def _adding(self, path: Path) -> None:
        if self._workspace.state.evidence.value is None:
            self._window.player.open_file(path)

    def _beside_evidence(self, where: object, paths: list[Path]) -> None:
        self._window.notice.error(
            BadInputError(
                "this case lies beside the evidence, where nothing should be written",
                str(where),
                "make a case in another folder, or add it all the same, which is recorded",
            ),
            "Add all the same",
            lambda: self._workspace.evidence.add(paths, beside_evidence=True),
        )

    def _settings_changed(self, settings: UserSettings) -> None:
        self._window.show_recent(settings.recent, self._workspace.cases.open)

    def _fill_analyse_menu(self) -> None:
        settings, menu = self._workspace.settings, self._window.analyse_menu
        menu.addAction(self._window.commands.action("evidence.fresh"))
        menu.addSeparator()
        at_once = menu.addAction("Analyse new evidence at once")
        at_once.setCheckable(True)
        at_once.setChecked(settings.value.analyse_on_adding)
        at_once.toggled.connect(
            lambda on: settings.set(replace(settings.value, analyse_on_adding=on))
        )
        menu.addSeparator()
        group = QActionGroup(menu)
        for stride, text in _STRIDES.items():
            action = menu.addAction(text)
            action.setCheckable(True)
            action.setChecked(settings.value.stride == stride)
            action.triggered.connect(
                lambda _on=False, stride=stride: settings.set(
                    replace(settings.value, stride=stride)
                )
            )
            group.addAction(action)

    def _turn_theme(self) -> None:
        settings = self._workspace.settings
        name = "light" if settings.value.theme == "dark" else "dark"
        settings.set(replace(settings.value, theme=name))
        self._set_theme(name)

    def _set_theme(self, name: str) -> None:
        tokens = apply_theme(self._application, name)
        self._window.set_tokens(tokens)
        action = self._window.commands.action("view.theme")
        action.setIcon(icon("sun" if name == "dark" else "moon"))

    def _selected(self, selection: Selection | None) -> None:
        """Shows the player's accumulated view only for what has frames."""
        if selection is None or selection.kind not in ("event", "trajectory"):
            self._workspace.state.accumulated.set(False)

    def _choose_evidence(self, evidence_id: int) -> None:
        view = self._workspace.state.evidence.value
        if evidence_id > 0 and (view is None or view.evidence.id != evidence_id):
            self._workspace.state.position.set(0)
            self._workspace.session.show(evidence_id)

    def _choose_event(self, event_id: int) -> None:
        rows = self._workspace.review.visible_events()
        row = next((one for one in rows if one.id == event_id), None)
        if row is not None:
            self._workspace.review.go_to_event(row)

    def _asked(self, what: str, evidence_id: int) -> None:
        workspace = self._workspace
        if what == "analyse":
            workspace.evidence.analyse(evidence_id)
        elif what == "relink":
            self._asking.relink(evidence_id)
        elif what == "clock":
            self._choose_evidence(evidence_id)
            self._asking.clock()
        else:
            workspace.arrange(evidence_id, -1 if what == "up" else 1)

    def _polygon(self, kind: str, polygon: Polygon) -> None:
        view = self._workspace.state.evidence.value
        if view is not None:
            ignore, interest = view.ignore, view.interest
            if kind == "ignore":
                ignore = (*ignore, polygon)
            else:
                interest = (*interest, polygon)
            self._workspace.review.set_regions(ignore, interest)


class BadVerification(SightlineError):
    """What a verification found to be wrong."""

    def __init__(self, found: str) -> None:
        super().__init__(found, "", "keep the case as it is and note what was found")
