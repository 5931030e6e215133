"""What the examiner looks at: one observable a field, shared by all panels."""

from __future__ import annotations

from dataclasses import dataclass

from desktop.state.conversation import ConversationView
from desktop.state.evidence_view import EvidenceView, OtherCurve
from desktop.state.observable import Observable
from desktop.state.target_mark import TargetMark


@dataclass(frozen=True)
class ShownFrame:
    """The frame on screen.

    Attributes:
        index: its index in the stream.
        pts: its PTS.
        seconds: its stream time.
        pict_type: `I`, `P`, `B` or `?`.
        damaged: it could not be decoded, or only in part.
        preview: a stand-in shown while dragging; the exact frame follows.
    """

    index: int
    pts: int
    seconds: float
    pict_type: str = "?"
    damaged: bool = False
    preview: bool = False


@dataclass(frozen=True)
class Selection:
    """What is selected in a list or on the timeline.

    Attributes:
        kind: `event`, `trajectory`, `bookmark` or `note`.
        id: its id in the case.
    """

    kind: str
    id: int


@dataclass(frozen=True)
class Marks:
    """In and out marks, stream times in seconds; None when not set."""

    start: float | None = None
    end: float | None = None

    @property
    def span(self) -> tuple[float, float] | None:
        """Start and end when both are set, in order of time."""
        if self.start is None or self.end is None:
            return None
        return min(self.start, self.end), max(self.start, self.end)


@dataclass(frozen=True)
class OverlaySettings:
    """What is drawn over the frame.

    Attributes:
        heat: whether the heatmap is shown.
        opacity: of the hottest place, 0..1.
        colour_map: one of `engine.render.palette.COLOUR_MAPS`.
        boxes: whether regions are framed.
        paths: whether trajectories are drawn.
        side_by_side: whether the plain frame stands beside the overlaid one.
        channel: whose heat is shown and whose score stands out; empty for the leading one.
    """

    heat: bool = True
    opacity: float = 0.55
    colour_map: str = "inferno"
    boxes: bool = True
    paths: bool = True
    side_by_side: bool = False
    channel: str = ""


@dataclass(frozen=True)
class PictureSettings:
    """How the frame is shown; never touches analysis.

    Attributes:
        brightness: added, -1..1.
        contrast: factor around middle grey, 0.25..4.
        gamma: exponent, 0.25..4; more than 1 opens the shadows.
        deinterlace: whether the second field is replaced by the first, interpolated.
        rotation: degrees clockwise on top of what the file says: 0, 90, 180, 270.
        aspect: width / height of a pixel; None takes the file's.
    """

    brightness: float = 0.0
    contrast: float = 1.0
    gamma: float = 1.0
    deinterlace: bool = False
    rotation: int = 0
    aspect: float | None = None


class ViewState:
    """The state that panels share. They change it, and follow it; they do not know each other.

    Attributes:
        evidence: what is open; None when nothing is.
        position: index of the frame the examiner wants to see; the player follows.
        dragging: whether the position changes under the hand, so that previews are welcome.
        shown: the frame on screen; None before the first.
        playing: whether the player runs.
        rate: playing speed in times of real time; negative plays backwards.
        every_frame: whether playing shows every frame rather than keeping real time.
        threshold: events and trajectories below this score are hidden.
        hidden_channels: names of the channels whose events and curves are hidden.
        selection: the event, trajectory, bookmark or note that is selected.
        accumulated: whether the player shows the accumulated view of the selection.
        marks: in and out marks.
        targets: that were marked to teach by, in order of marking.
        compared: scores that are shown beside those of the run, at most one curve a file.
        overlay: what is drawn over the frame.
        picture: how the frame is shown.
        conversation: what was asked and answered about the selected event or span.
    """

    def __init__(self) -> None:
        self.evidence: Observable[EvidenceView | None] = Observable(None)
        self.position: Observable[int] = Observable(0)
        self.dragging: Observable[bool] = Observable(False)
        self.shown: Observable[ShownFrame | None] = Observable(None)
        self.playing: Observable[bool] = Observable(False)
        self.rate: Observable[float] = Observable(1.0)
        self.every_frame: Observable[bool] = Observable(False)
        self.threshold: Observable[float] = Observable(0.0)
        self.hidden_channels: Observable[frozenset[str]] = Observable(frozenset())
        self.selection: Observable[Selection | None] = Observable(None)
        self.accumulated: Observable[bool] = Observable(False)
        self.marks: Observable[Marks] = Observable(Marks())
        self.targets: Observable[tuple[TargetMark, ...]] = Observable(())
        self.compared: Observable[tuple[OtherCurve, ...]] = Observable(())
        self.overlay: Observable[OverlaySettings] = Observable(OverlaySettings())
        self.picture: Observable[PictureSettings] = Observable(PictureSettings())
        self.conversation: Observable[ConversationView] = Observable(ConversationView())

    def pause_at(self, frame: int) -> None:
        """Stops playing and goes to a frame."""
        self.playing.set(False)
        self.position.set(frame)
