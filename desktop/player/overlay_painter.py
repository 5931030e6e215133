"""Draws heat, regions, paths and the legend over a frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFont,
    QImage,
    QPainter,
    QPen,
    QPolygonF,
    QTransform,
)

from desktop.player.frame_requests import FrameOverlay, ShownPath, ShownRegion
from desktop.player.screen_images import heat_image
from desktop.player.target_pointer import Pointer
from desktop.state.evidence_view import Polygon
from desktop.state.target_mark import Point, TargetMark
from desktop.state.view_state import OverlaySettings
from engine.render.heat_image import heat_rgba
from engine.render.palette import colour_table, target_colour

_SEAM = QColor(0, 0, 0, 160)
_HOT = QColor(255, 92, 72)
_NORMAL, _ABNORMAL = QColor(120, 200, 255), QColor(255, 209, 102)
_CROSS = 7.0  # pixels of each arm of a cross


def draw_frame(painter: QPainter, image: QImage, to_screen: QTransform, scale: float) -> None:
    """Draws a frame whose picture is `scale` times its decoded size."""
    painter.save()
    painter.setTransform(to_screen, combine=True)
    painter.scale(1 / scale, 1 / scale)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, to_screen.m11() < 2)
    painter.drawImage(0, 0, image)
    painter.restore()


def draw_overlay(
    painter: QPainter,
    overlay: FrameOverlay,
    settings: OverlaySettings,
    to_screen: QTransform,
    width: int,
    height: int,
) -> None:
    """Draws what lies over a frame of decoded size width x height."""
    if settings.heat and overlay.heat is not None:
        _draw_heat(painter, overlay.heat, settings, to_screen, width, height)
    if settings.paths:
        for path in overlay.paths:
            _draw_path(painter, path, to_screen)
    if settings.boxes:
        for region in overlay.regions:
            _draw_region(painter, region, to_screen)


def _draw_heat(
    painter: QPainter,
    heat: NDArray[np.uint8],
    settings: OverlaySettings,
    to_screen: QTransform,
    width: int,
    height: int,
) -> None:
    picture = heat_image(heat_rgba(heat, settings.colour_map, settings.opacity))
    painter.save()
    painter.setTransform(to_screen, combine=True)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(QRectF(0, 0, width, height), picture, QRectF(picture.rect()))
    painter.restore()


def _draw_region(painter: QPainter, region: ShownRegion, to_screen: QTransform) -> None:
    box = region.box
    outline = to_screen.map(QPolygonF(QRectF(box.x, box.y, box.w, box.h)))
    colour = _colour(region.trajectory)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(_SEAM, 4), QPen(colour, 2)):
        painter.setPen(pen)
        painter.drawPolygon(outline)
    number = "" if region.trajectory is None else f"#{region.trajectory}"
    score = "" if region.score is None else f"{region.score:.2f}"
    draw_label(painter, outline.boundingRect().topLeft(), f"{number} {score}".strip(), colour)


def draw_label(painter: QPainter, at: QPointF, text: str, colour: QColor) -> None:
    """Writes a word above a point on a dark backing, inside the painter's area."""
    font = QFont(painter.font())
    font.setPixelSize(12)
    painter.setFont(font)
    size = painter.fontMetrics().boundingRect(text).size()
    area = QRectF(at.x(), max(0.0, at.y() - size.height() - 4), size.width() + 8, size.height() + 2)
    painter.fillRect(area, QColor(0, 0, 0, 190))
    painter.setPen(colour)
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter, text)


def _draw_path(painter: QPainter, path: ShownPath, to_screen: QTransform) -> None:
    points = [to_screen.map(QPointF(float(x), float(y))) for x, y in path.points]
    colour = _colour(path.number)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for index in range(len(points) - 1):
        strength = 1 - 0.75 * min(1.0, max(0.0, float(path.ages[index + 1])))
        for base, thick in ((_SEAM, 4.0), (colour, 2.0)):
            faded = QColor(base)
            faded.setAlphaF(base.alphaF() * strength)
            painter.setPen(QPen(faded, thick, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawLine(points[index], points[index + 1])
    _draw_arrow(painter, points, colour)


def _draw_arrow(painter: QPainter, points: Sequence[QPointF], colour: QColor) -> None:
    tip = points[-1]
    tail = next((point for point in reversed(points) if _far(point, tip) > 6), None)
    if tail is None:
        return
    angle = math.atan2(tip.y() - tail.y(), tip.x() - tail.x())
    corners = [tip]
    for turn in (2.6, -2.6):
        corners.append(tip + QPointF(math.cos(angle + turn), math.sin(angle + turn)) * 11)
    painter.setPen(QPen(_SEAM, 1))
    painter.setBrush(QBrush(colour))
    painter.drawPolygon(QPolygonF(corners))


def draw_parts(
    painter: QPainter, polygons: Sequence[Polygon], ignored: bool, to_screen: QTransform
) -> None:
    """Draws regions that do not count hatched, regions of interest outlined, each with its word."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for polygon in polygons:
        shape = to_screen.map(QPolygonF([QPointF(x, y) for x, y in polygon]))
        colour = QColor(200, 200, 200) if ignored else QColor(120, 200, 255)
        hatched = Qt.BrushStyle.BDiagPattern if ignored else Qt.BrushStyle.NoBrush
        painter.setBrush(QBrush(QColor(200, 200, 200, 90), hatched))
        painter.setPen(QPen(colour, 1.5, Qt.PenStyle.DashLine))
        painter.drawPolygon(shape)
        word = "ignored" if ignored else "of interest"
        draw_label(painter, shape.boundingRect().topLeft(), word, colour)


def draw_targets(painter: QPainter, marks: Sequence[TargetMark], to_screen: QTransform) -> None:
    """Draws the targets that were marked in the frame, each with its name and side."""
    for mark in marks:
        colour = _NORMAL if mark.normal else _ABNORMAL
        shape = draw_shape(painter, mark.shape, mark.points, mark.radius, colour, to_screen)
        draw_label(painter, shape.topLeft(), f"{mark.name} · {mark.side}", colour)


def draw_shape(
    painter: QPainter,
    shape: str,
    points: Sequence[Point],
    radius: float,
    colour: QColor,
    to_screen: QTransform,
) -> QRectF:
    """Draws a box, a point or a brush, and returns where on the screen it lies."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    polygon = QPolygonF([QPointF(x, y) for x, y in points])
    if shape == "box":
        polygon = QPolygonF(QRectF(polygon.first(), polygon.last()).normalized())
    outline = to_screen.map(polygon)
    thick = 2 * radius * math.sqrt(abs(to_screen.determinant()))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if shape == "brush":
        veil = QColor(colour)
        veil.setAlpha(110)
        pen = QPen(veil, thick, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        if outline.size() > 1:
            painter.drawPolyline(outline)
        else:
            painter.drawPoint(outline.first())
        half = thick / 2
        return outline.boundingRect().adjusted(-half, -half, half, half)
    for pen in (QPen(_SEAM, 4), QPen(colour, 2)):
        painter.setPen(pen)
        if shape == "box":
            painter.drawPolygon(outline)
        else:
            draw_cross(painter, outline.first())
    return outline.boundingRect()


def draw_pointer(painter: QPainter, pointer: Pointer, to_screen: QTransform) -> None:
    """Draws the hand that points, and what it drew so far."""
    if not pointer.shape:
        return
    if pointer.points:
        points = [(point.x(), point.y()) for point in pointer.points]
        draw_shape(painter, pointer.shape, points, pointer.radius, _ABNORMAL, to_screen)
    at = to_screen.map(pointer.at)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(_SEAM, 3), QPen(_ABNORMAL, 1)):
        painter.setPen(pen)
        draw_cross(painter, at)
        if pointer.shape == "brush":
            reach = pointer.radius * math.sqrt(abs(to_screen.determinant()))
            painter.drawEllipse(at, reach, reach)


def draw_cross(painter: QPainter, at: QPointF) -> None:
    """Draws a cross at a point of the screen, with the painter's pen."""
    painter.drawLine(at - QPointF(_CROSS, 0), at + QPointF(_CROSS, 0))
    painter.drawLine(at - QPointF(0, _CROSS), at + QPointF(0, _CROSS))


def draw_legend(painter: QPainter, area: QRectF, colour_map: str) -> None:
    """Draws the scale of the heat, 0 to 1, into the lower right corner of an area."""
    width, height = 168.0, 24.0
    legend = QRectF(area.right() - width - 8, area.bottom() - height - 8, width, height)
    painter.fillRect(legend, QColor(0, 0, 0, 170))
    bar = QRectF(legend.left() + 52, legend.top() + 7, 96, 10)
    painter.drawImage(bar, _scale_of(colour_map))
    font = QFont(painter.font())
    font.setPixelSize(12)
    painter.setFont(font)
    painter.setPen(QColor(240, 240, 240))
    left = QRectF(legend.left() + 4, legend.top(), 44, height)
    painter.drawText(left, Qt.AlignmentFlag.AlignVCenter, "heat 0")
    right = QRectF(bar.right() + 4, legend.top(), 14, height)
    painter.drawText(right, Qt.AlignmentFlag.AlignVCenter, "1")


@lru_cache(maxsize=8)
def _scale_of(colour_map: str) -> QImage:
    """Returns the colours from cold to hot in one row."""
    table = np.concatenate([colour_table(colour_map), np.full((256, 1), 255, np.uint8)], axis=1)
    return heat_image(table[None])


def _colour(trajectory: int | None) -> QColor:
    if trajectory is None:
        return _HOT
    red, green, blue = target_colour(trajectory)
    return QColor(red, green, blue)


def _far(point: QPointF, other: QPointF) -> float:
    return math.hypot(point.x() - other.x(), point.y() - other.y())
