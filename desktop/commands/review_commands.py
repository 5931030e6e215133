"""The commands of the Review menu: events, marks, bookmarks, notes, normal footage."""

from __future__ import annotations

from functools import partial

from desktop.command_registry import WindowCommand, make_command
from desktop.dialog_actions.review_dialogs import ReviewDialogs
from desktop.operations.review_operations import ReviewOperations


def review_commands(review: ReviewOperations) -> list[WindowCommand]:
    """Returns the commands about events, marks, bookmarks and normal footage."""
    command = partial(make_command, menu="&Review", needs="review")
    looking = partial(make_command, menu="&Review", needs="evidence")
    return [
        looking("review.next", "&Next event", lambda: review.next_event(1), "N",
                icon="chevron-right"),
        looking("review.previous", "Pre&vious event", lambda: review.next_event(-1), "Shift+N",
                icon="chevron-left"),
        command("review.unseen", "Event is &unseen", lambda: review.triage("unseen"), "1",
                icon="circle"),
        command("review.seen", "Event is &seen", lambda: review.triage("seen"), "2", icon="eye"),
        command("review.relevant", "Event is &relevant", lambda: review.triage("relevant"), "3",
                icon="circle-check"),
        command("review.dismissed", "&Dismiss event", lambda: review.triage("dismissed"), "4",
                icon="circle-x"),
        looking("review.in", "&In mark here", lambda: review.mark(end=False), "I"),
        looking("review.out", "&Out mark here", lambda: review.mark(end=True), "O"),
        looking("review.clear", "Clear marks", review.clear_marks, "Shift+I"),
        command("review.bookmark", "Book&mark this", review.bookmark, "M", icon="bookmark"),
        command("review.event", "Make an &event from the marks", review.make_event, "E",
                icon="flag"),
        command("review.normal", "Mark s&pan as normal footage", review.mark_normal, "Shift+M",
                icon="check"),
        command("review.no-normal", "Clear normal footage", review.clear_normal),
    ]  # fmt: skip


def writing_commands(review: ReviewOperations, dialogs: ReviewDialogs) -> list[WindowCommand]:
    """Returns the commands that write something of the examiner's own, and remove it."""
    command = partial(make_command, menu="&Review", needs="writable")
    return [
        command("review.named", "Bookmark &with a note", dialogs.name_bookmark, "Ctrl+M"),
        command("review.note", "Write a no&te", dialogs.write_note, "Ctrl+N", icon="sticky-note"),
        command("review.amend", "&Amend the selected note", dialogs.amend_note, "F2",
                icon="pencil"),
        command("review.remove", "Remove the selected bookmark, note or event of your own",
                review.remove_selected, "Del", icon="trash-2"),
    ]  # fmt: skip
