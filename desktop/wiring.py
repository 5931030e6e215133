"""Connects the window with the workspace behind it; nothing else knows both."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QApplication

from desktop.commands import evidence_commands, go_commands, review_commands, window_commands
from desktop.commands.channel_commands import channel_commands
from desktop.commands.dialogue_commands import dialogue_commands
from desktop.commands.teaching_commands import teaching_commands
from desktop.commands.view_commands import view_commands
from desktop.dialog_actions.window_dialogs import WindowDialogs
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

_STRIDE_TEXTS = {1: "Every frame", 2: "Every second frame", 4: "Every fourth frame"}


class Wiring(QObject):
    """Connects panels, dialogs and operations.

    Args:
        application: on which the theme is set.
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
        self._dialogs = WindowDialogs(workspace, window, log)
        self._indexing: Progress | None = None
        self._verification = ""
        self._add_commands()
        window.build(workspace.state)
        self._fill_analyse_menu()
        self._connect_operations()
        self._connect_panels()
        self._set_theme(workspace.settings.value.theme)
        window.restore_layout(workspace.settings.value.layout, workspace.settings.value.geometry)
        self._list_recent_cases(workspace.settings.value)
        self._clear_case()

    def close(self) -> None:
        """Saves notes, layout and settings, and ends threads and processes."""
        workspace, window = self._workspace, self._window
        window.notes.flush()
        layout, geometry = window.saved_layout
        workspace.settings.set(replace(workspace.settings.value, layout=layout, geometry=geometry))
        window.player.close_threads()
        window.timeline.close_threads()
        workspace.close()

    def _add_commands(self) -> None:
        workspace, window, dialogs = self._workspace, self._window, self._dialogs
        state, review, player = workspace.state, workspace.review, window.player
        # Menus and palette list the commands in this order.
        for commands in (
            window_commands.case_commands(workspace, window, dialogs.case),
            window_commands.edit_commands(workspace, dialogs),
            evidence_commands.adding_commands(dialogs.evidence),
            evidence_commands.analysis_commands(workspace),
            channel_commands(workspace, window),
            dialogue_commands(workspace.dialogue, window),
            teaching_commands(workspace, window),
            evidence_commands.region_commands(review, player),
            evidence_commands.arranging_commands(workspace, dialogs.evidence, dialogs.export),
            go_commands.going_commands(workspace, dialogs.review),
            go_commands.transport_commands(player, state),
            review_commands.review_commands(review),
            review_commands.writing_commands(review, dialogs.review),
            view_commands(state, review, player, window.timeline),
            window_commands.window_commands(workspace, window, dialogs.help, self._toggle_theme),
        ):
            window.commands.add(commands)

    def _connect_operations(self) -> None:
        workspace, window = self._workspace, self._window
        session, state = workspace.session, workspace.state
        operations = (
            workspace.evidence,
            workspace.review,
            workspace.search,
            workspace.cases,
            workspace.dialogue,
            workspace.marking,
            workspace.variants,
            workspace.similarity,
        )
        for operation in operations:
            operation.news.connect(window.notice.news)
        for source in (session, *operations):
            source.problem.connect(window.notice.error)
        session.opened.connect(self._show_case)
        session.closed.connect(self._clear_case)
        session.closed.connect(lambda: window.timeline_panel.set_empty(True))
        session.listed.connect(window.evidence.set_items)
        session.listed.connect(lambda items: window.timeline_panel.set_empty(not items))
        workspace.review.reason_requested.connect(lambda ids: window.events.reason.ask(ids))
        workspace.evidence.adding.connect(self._show_while_adding)
        workspace.evidence.beside_evidence.connect(self._warn_beside_evidence)
        workspace.evidence.verified.connect(self._report_verification)
        workspace.evidence.compared.connect(self._dialogs.case.show_verification)
        workspace.settings.changed.connect(self._list_recent_cases)
        state.evidence.changed.connect(self._show_evidence)
        window.player.failed.connect(window.notice.error)
        window.notice.details.connect(self._dialogs.help.show_details)
        window.player.watched.connect(workspace.add_watched)
        window.player.indexing.connect(self._show_indexing)
        window.player.canvas.polygon_drawn.connect(self._add_region)
        window.player.canvas.pointed.connect(
            lambda pointed: workspace.marking.mark(window.teach.name, window.teach.normal, pointed)
        )
        window.status.cancelled.connect(workspace.evidence.cancel)
        window.dropped.connect(workspace.cases.open_any)
        window.closing.connect(self.close)

    def _connect_panels(self) -> None:
        workspace, window, review = self._workspace, self._window, self._workspace.review
        window.evidence.list.chosen.connect(self._choose_evidence)
        window.evidence.action_requested.connect(self._do_with_evidence)
        window.events.list.chosen.connect(self._choose_event)
        window.events.triaged.connect(
            lambda ids, state, reason: review.set_state(ids, state, reason)
        )
        window.trajectories.list.chosen.connect(review.go_to_trajectory)
        window.bookmarks.list.chosen.connect(review.go_to_bookmark)
        window.notes.list.chosen.connect(review.go_to_note)
        self._connect_chat()
        window.teach.list.chosen.connect(workspace.marking.go_to)
        window.teach.removed.connect(workspace.marking.remove)
        window.bookmarks.amended.connect(review.amend_bookmark)
        window.bookmarks.removed.connect(lambda row: review.remove("bookmark", row))
        window.notes.written.connect(review.add_note)
        window.notes.amended.connect(review.amend_note)
        window.notes.removed.connect(lambda row: review.remove("note", row))
        for panel in (window.events, window.bookmarks, window.notes):
            panel.tagged.connect(review.set_tag)
        workspace.state.selection.changed.connect(self._leave_accumulated)

    def _connect_chat(self) -> None:
        dialogue, chat = self._workspace.dialogue, self._window.chat

        def ask(question: str) -> None:
            if dialogue.ask(question):
                chat.clear_question()

        chat.question_asked.connect(ask)
        chat.facts_requested.connect(dialogue.facts)
        chat.stop_requested.connect(dialogue.stop)
        chat.repeat_requested.connect(dialogue.regenerate)
        chat.copy_requested.connect(self._dialogs.export.copy_turn)
        chat.citation_clicked.connect(
            lambda start_s, trajectory_id: dialogue.go_to(start_s, trajectory_id or None)
        )
        chat.packs_requested.connect(self._list_packs)
        chat.pack_chosen.connect(self._choose_pack)
        dialogue.token_received.connect(chat.add_piece)

    def _list_packs(self) -> None:
        # Imported here because reading manifests takes a library that the start does not need.
        from engine.packs.pack_listing import list_packs

        names = [listed.name for listed in list_packs() if listed.pack is not None]
        self._window.chat.set_packs(names, self._workspace.settings.value.answering_pack)

    def _choose_pack(self, name: str) -> None:
        settings = self._workspace.settings
        settings.set(replace(settings.value, answering_pack=name))

    def _show_case(self, case: OpenCase) -> None:
        window, session = self._window, self._workspace.session
        self._verification = ""
        window.set_case_name(case_name(case.path), str(case.path))
        # Shared by all that open a file: the index of a long one is read once and kept in memory.
        indexes = IndexCache(case.path / "cache" / "indexes")
        window.player.set_case(case.path, indexes)
        window.timeline.set_indexes(indexes)
        if session.work is not None:
            session.work.changed.connect(self._show_work)
            session.work.failed.connect(self._report_failed_work)
            session.work.cancelled.connect(lambda title: window.notice.news(f"Stopped: {title}"))
            session.work.message.connect(window.notice.news)
        session.editor.stacks_changed.connect(self._enable_commands)
        self._enable_commands()

    def _clear_case(self) -> None:
        window = self._window
        window.notice.hide()
        window.set_case_name("", "")
        window.player.set_case(None, None)
        window.timeline.set_indexes(None)
        window.evidence.set_items(())
        self._workspace.state.marks.set(Marks())
        self._show_work()
        self._enable_commands()

    def _show_evidence(self, view: EvidenceView | None) -> None:
        self._window.evidence.select_shown(0 if view is None else view.evidence.id)
        self._enable_commands()
        self._show_integrity()

    def _enable_commands(self) -> None:
        session, available = self._workspace.session, set[str]()
        case, view = session.case, self._workspace.state.evidence.value
        if case is not None:
            available.add("case")
        if view is not None:
            available.add("evidence")
        if case is not None and not case.reading_only:
            available.add("writable")
            available.update(("review",) if view is not None else ())
        undo, redo = session.editor.undo_label, session.editor.redo_label
        available.update(name for name, label in (("undo", undo), ("redo", redo)) if label)
        commands = self._window.commands
        commands.enable(frozenset(available))
        for name, verb, label in (("edit.undo", "Undo", undo), ("edit.redo", "Redo", redo)):
            commands.action(name).setText(f"&{verb} {label.lower()}".rstrip())
        self._show_integrity()

    def _show_integrity(self) -> None:
        session, view = self._workspace.session, self._workspace.state.evidence.value
        text = "Case not verified in this session"
        if session.case is None:
            text = ""
        elif session.case.reading_only:
            text = "Open for reading only"
        elif view is not None and view.mismatches:
            text = "Evidence changed since it was added"
        elif self._verification:
            text = self._verification
        self._window.integrity.setText(text)

    def _report_verification(self, good: bool, summary: str) -> None:
        self._verification = "Case verified" if good else "Verification failed"
        self._show_integrity()
        if good:
            self._window.notice.news(f"Verified: {summary}")
        else:
            self._window.notice.error(BadVerification(summary))

    def _show_work(self) -> None:
        work = self._workspace.session.work
        self._window.status.show_work(() if work is None else work.items, self._indexing)

    def _show_indexing(self, progress: Progress | None) -> None:
        self._indexing = progress
        self._show_work()

    def _report_failed_work(self, title: str, error: SightlineError) -> None:
        self._window.notice.error(
            SightlineError(f"{title}: {error.what}", error.where, error.remedy)
        )

    def _show_while_adding(self, path: Path) -> None:
        if self._workspace.state.evidence.value is None:
            self._window.player.open_file(path)

    def _warn_beside_evidence(self, where: object, paths: list[Path]) -> None:
        self._window.notice.error(
            BadInputError(
                "this case lies beside the evidence, where nothing should be written",
                str(where),
                "make a case in another folder, or add it all the same, which is recorded",
            ),
            "Add anyway",
            lambda: self._workspace.evidence.add(paths, beside_evidence=True),
        )

    def _list_recent_cases(self, settings: UserSettings) -> None:
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
        for stride, text in _STRIDE_TEXTS.items():
            action = menu.addAction(text)
            action.setCheckable(True)
            action.setChecked(settings.value.stride == stride)
            action.triggered.connect(
                lambda _on=False, stride=stride: settings.set(
                    replace(settings.value, stride=stride)
                )
            )
            group.addAction(action)

    def _toggle_theme(self) -> None:
        settings = self._workspace.settings
        name = "light" if settings.value.theme == "dark" else "dark"
        settings.set(replace(settings.value, theme=name))
        self._set_theme(name)

    def _set_theme(self, name: str) -> None:
        tokens = apply_theme(self._application, name)
        self._window.set_tokens(tokens)
        action = self._window.commands.action("view.theme")
        action.setIcon(icon("sun" if name == "dark" else "moon"))

    def _leave_accumulated(self, selection: Selection | None) -> None:
        """Ends the accumulated view when no event and no trajectory is selected."""
        if selection is None or selection.kind not in ("event", "trajectory"):
            self._workspace.state.accumulated.set(False)

    def _choose_evidence(self, evidence_id: int) -> None:
        view = self._workspace.state.evidence.value
        if evidence_id > 0 and (view is None or view.evidence.id != evidence_id):
            self._workspace.state.position.set(0)
            self._workspace.session.show(evidence_id)

    def _choose_event(self, event_id: int) -> None:
        rows = self._workspace.review.visible_events()
        row = next((row for row in rows if row.id == event_id), None)
        if row is not None:
            self._workspace.review.go_to_event(row)

    def _do_with_evidence(self, action: str, evidence_id: int) -> None:
        workspace = self._workspace
        if action == "analyse":
            workspace.evidence.analyse(evidence_id)
        elif action == "relink":
            self._dialogs.evidence.locate(evidence_id)
        elif action == "clock":
            self._choose_evidence(evidence_id)
            self._dialogs.evidence.set_clock()
        else:
            workspace.arrange(evidence_id, -1 if action == "up" else 1)

    def _add_region(self, kind: str, polygon: Polygon) -> None:
        view = self._workspace.state.evidence.value
        if view is not None and kind == "ignore":
            self._workspace.review.set_regions((*view.ignore, polygon), view.interest)
        elif view is not None:
            self._workspace.review.set_regions(view.ignore, (*view.interest, polygon))


class BadVerification(SightlineError):
    """A verification found something to be wrong."""

    def __init__(self, summary: str) -> None:
        super().__init__(summary, "", "keep the case as it is and note what was found")
