"""The picture: the frame on screen with what lies over it, zoomed and panned."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.player.frame_requests import FrameReply
from desktop.player.overlay_painter import (
    draw_frame,
    draw_label,
    draw_legend,
    draw_overlay,
    draw_parts,
    draw_pointer,
    draw_targets,
)
from desktop.player.picture_geometry import PictureGeometry
from desktop.player.target_pointer import POINTING_KEYS, PointedTarget, Pointer, snap_to_box
from desktop.state.evidence_view import Polygon
from desktop.state.target_mark import TargetMark
from desktop.state.view_state import OverlaySettings

_WHEEL = 1.0015  # zoom factor of an eighth of a degree of the wheel: 1.2 a notch
_WORD = QColor(255, 209, 102)
_STEP, _LONG_STEP = 4.0, 32.0  # decoded pixels that an arrow key moves the pointer


class Canvas(QWidget):
    """Shows one frame; knows nothing of where it comes from."""

    polygon_drawn = Signal(str, object)
    """Kind (`ignore` or `interest`) and the corners in decoded pixels, tuple[(x, y), ...]."""

    pointed = Signal(object)
    """A `PointedTarget`: the target that the examiner pointed at; of a region its box."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("canvas")
        self.setAccessibleName("Picture")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._reply: FrameReply | None = None
        self._settings = OverlaySettings()
        self._geometry = PictureGeometry()
        self._file_rotation, self._file_aspect = 0, 1.0
        self._ignore: tuple[Polygon, ...] = ()
        self._interest: tuple[Polygon, ...] = ()
        self._message = ""
        self._view_words = ""
        self._end = (-1, "")
        self._span = ""
        self._drag: QPointF | None = None
        self._kind = ""
        self._corners: list[QPointF] = []
        self._pointer = Pointer()
        self._targets: tuple[TargetMark, ...] = ()

    def sizeHint(self) -> QSize:
        """Large: the picture is the largest thing on screen."""
        return QSize(960, 540)

    def minimumSizeHint(self) -> QSize:
        """Small enough for the smallest window."""
        return QSize(240, 136)

    def show_frame(self, reply: FrameReply) -> None:
        """Shows a frame with what lies over it."""
        self._reply, self._message = reply, ""
        if reply.image is not None and reply.request_id == 0:
            self._geometry = replace(
                self._geometry, width=reply.image.width(), height=reply.image.height()
            )
        self.update()

    def set_frame_size(self, width: int, height: int, rotation: int, aspect: float) -> None:
        """Says how large decoded frames are and how the file says they are to be shown."""
        self._file_rotation, self._file_aspect = rotation, aspect
        self._geometry = replace(self._geometry, width=width, height=height)
        self.update()

    def set_view(self, rotation: int, aspect: float | None, view_words: str) -> None:
        """Turns the picture by more degrees; a pixel aspect of None takes the file's.

        Args:
            rotation: degrees clockwise.
            aspect: width / height of a pixel.
            view_words: all view settings in words, written over the picture; empty for none.
        """
        self._view_words = view_words
        self._geometry = replace(
            self._geometry,
            rotation=(self._file_rotation + rotation) % 360,
            aspect=self._file_aspect if aspect is None else aspect,
        )
        self.update()

    def set_end(self, frame: int, words: str) -> None:
        """Says why the video ends with a frame; empty words when it ends as it should."""
        self._end = frame, words

    def set_span(self, words: str) -> None:
        """Says in words which time an accumulated view is about."""
        self._span = words

    def set_overlay(self, settings: OverlaySettings) -> None:
        """Changes what is drawn over the frame."""
        self._settings = settings
        self.update()

    def set_parts(self, ignore: tuple[Polygon, ...], interest: tuple[Polygon, ...]) -> None:
        """Shows which regions do not count and which are of interest."""
        self._ignore, self._interest = ignore, interest
        self.update()

    def clear(self, message: str) -> None:
        """Shows words instead of a frame."""
        self._reply, self._message = None, message
        self.update()

    def fit(self) -> None:
        """Shows the whole frame."""
        self._set_geometry(self._geometry.fit())

    def zoom(self, factor: float) -> None:
        """Zooms around the middle."""
        area = self._areas()[-1]
        self._set_geometry(self._geometry.zoom_at(area, area.center(), factor))

    def begin_polygon(self, kind: str) -> None:
        """Lets the examiner click the corners of a region; Esc gives up, Enter closes it."""
        self._pointer.end()
        self._kind, self._corners = kind, []
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setFocus()
        self.update()

    def begin_pointing(self, shape: str) -> None:
        """Lets the examiner point at a target: `point`, `box` or `brush`; Esc gives up."""
        self._end_polygon()
        self._pointer.begin(shape, self._geometry.width, self._geometry.height)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setFocus()
        self.update()

    def set_targets(self, targets: tuple[TargetMark, ...]) -> None:
        """Shows the targets that were marked in the frame."""
        self._targets = targets
        self.update()

    @property
    def drawing(self) -> bool:
        """Whether a region is being drawn."""
        return bool(self._kind)

    def still(self, overlay: bool) -> QImage | None:
        """Returns the frame in decoded size, with or without what lies over it."""
        reply = self._reply
        if reply is None or reply.image is None or reply.preview:
            return None
        picture = reply.image.copy()
        if overlay and not reply.accumulated:
            with QPainter(picture) as painter:
                draw_overlay(
                    painter, reply.overlay, self._settings, QTransform(), picture.width(),
                    picture.height(),
                )  # fmt: skip
        return picture

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draws everything."""
        # Ended by leaving the block: an error kept with its frames must not keep the painter.
        with QPainter(self) as painter:
            self._paint(painter)

    def _paint(self, painter: QPainter) -> None:
        reply = self._reply
        if reply is None:
            painter.setPen(self.palette().windowText().color())
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(24, 24, -24, -24), flags, self._message)
            return
        areas = self._areas()
        for number, area in enumerate(areas):
            painter.save()
            painter.setClipRect(area)
            overlaid = number == len(areas) - 1 and not reply.accumulated
            self._draw(painter, reply, area, overlaid)
            painter.restore()
        if self.words:
            draw_label(painter, QPointF(8, 28), self.words, _WORD)

    def _draw(self, painter: QPainter, reply: FrameReply, area: QRectF, overlaid: bool) -> None:
        to_screen = self._geometry.transform(area)
        if reply.image is not None:
            draw_frame(painter, reply.image, to_screen, reply.scale)
        if overlaid and not reply.preview:
            width, height = self._geometry.width, self._geometry.height
            draw_overlay(painter, reply.overlay, self._settings, to_screen, width, height)
        if overlaid or reply.accumulated:
            draw_parts(painter, self._ignore, True, to_screen)
            draw_parts(painter, self._interest, False, to_screen)
            self._draw_corners(painter, to_screen)
            if self._settings.heat:
                draw_legend(painter, area, self._settings.colour_map)
        if overlaid:
            draw_targets(painter, self._targets, to_screen)
            draw_pointer(painter, self._pointer, to_screen)

    @property
    def words(self) -> str:
        """What is written over the picture, or instead of it."""
        return self._message if self._reply is None else " · ".join(self._status_words(self._reply))

    def _status_words(self, reply: FrameReply) -> list[str]:
        words = []
        if reply.image is None:
            words.append("this frame cannot be decoded")
        elif reply.damaged:
            words.append("damaged frame")
        if self._end[1] and reply.index == self._end[0]:
            words.append(self._end[1])
        if reply.preview:
            words.append("preview")
        if reply.accumulated:
            words.append(f"accumulated view of {self._span}")
        if self._view_words and not reply.accumulated:
            words.append(f"view settings: {self._view_words}")
        if self._kind:
            words.append("click the corners of the region, Enter closes it, Esc gives up")
        if self._pointer.shape:
            words.append(self._pointer.words)
        return words

    def _draw_corners(self, painter: QPainter, to_screen: QTransform) -> None:
        if self._corners:
            painter.setPen(QPen(_WORD, 2))
            painter.drawPolyline(to_screen.map(QPolygonF(self._corners)))

    def _areas(self) -> list[QRectF]:
        whole = QRectF(self.rect())
        accumulated = self._reply is not None and self._reply.accumulated
        if accumulated or not self._settings.side_by_side:
            return [whole]
        half = (whole.width() - 4) / 2
        left = QRectF(0, 0, half, whole.height())
        return [left, QRectF(half + 4, 0, half, whole.height())]

    def _area_at(self, point: QPointF) -> QRectF:
        return next((area for area in self._areas() if area.contains(point)), self._areas()[-1])

    def _set_geometry(self, geometry: PictureGeometry) -> None:
        self._geometry = geometry
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zooms at the cursor."""
        point = event.position()
        factor = _WHEEL ** event.angleDelta().y()
        self._set_geometry(self._geometry.zoom_at(self._area_at(point), point, factor))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begins to pan, or sets a corner."""
        position = self._event_position(event)
        if event.button() == Qt.MouseButton.LeftButton and self._kind:
            self._corners.append(position)
            self.update()
        elif event.button() == Qt.MouseButton.LeftButton and self._pointer.shape:
            self._point(self._pointer.press(position))
        elif event.button() == Qt.MouseButton.LeftButton:
            self._drag = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Pans, or draws a target."""
        if self._pointer.shape:
            self._pointer.move(self._event_position(event))
            self.update()
        elif self._drag is not None and self._geometry.zoom > 1:
            self._set_geometry(self._geometry.pan_by(event.position() - self._drag))
            self._drag = event.position()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Ends panning, or a target."""
        self._drag = None
        if event.button() == Qt.MouseButton.LeftButton and self._pointer.points:
            self._point(self._pointer.release())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Closes a region, or shows the whole frame."""
        if self._kind:
            self._close_polygon()
        elif not self._pointer.shape:
            self.fit()

    def event(self, event: QEvent) -> bool:
        """Claims the keys that point before they become commands."""
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and self._points_with(event)
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Closes or gives up a region; points at a target."""
        if self._points_with(event):
            step = _LONG_STEP if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else _STEP
            self._point(self._pointer.key(event.key(), step))
        elif self._kind and event.key() == Qt.Key.Key_Escape:
            self._end_polygon()
        elif self._kind and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._close_polygon()
        else:
            super().keyPressEvent(event)

    def _event_position(self, event: QMouseEvent) -> QPointF:
        point = event.position()
        return self._geometry.to_pixels(self._area_at(point), point)

    def _points_with(self, event: QKeyEvent) -> bool:
        moved = event.modifiers() & ~(
            Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier
        )
        return bool(self._pointer.shape) and event.key() in POINTING_KEYS and not moved

    def _point(self, pointed: PointedTarget | None) -> None:
        """Tells what was pointed at, when that is known already."""
        if not self._pointer.shape:
            self.unsetCursor()
        if pointed is not None:
            regions = () if self._reply is None else self._reply.overlay.regions
            self.pointed.emit(snap_to_box(pointed, [region.box for region in regions]))
        self.update()

    def _close_polygon(self) -> None:
        kind, corners = self._kind, self._corners
        distinct = list(
            dict.fromkeys((round(corner.x(), 1), round(corner.y(), 1)) for corner in corners)
        )
        self._end_polygon()
        if len(distinct) >= 3:
            self.polygon_drawn.emit(kind, tuple(distinct))

    def _end_polygon(self) -> None:
        self._kind, self._corners = "", []
        self.unsetCursor()
        self.update()
