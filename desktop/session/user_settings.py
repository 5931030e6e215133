"""What the program remembers of its user: declared once, kept as one readable file."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeGuard

from platformdirs import user_config_path, user_data_path

from engine.core.files import open_regular_file, write_atomically
from engine.core.json_input import parse_json
from engine.packs import DEFAULT_PACK
from engine.render.palette import COLOUR_MAPS

_LOG = logging.getLogger(__name__)
_MAX_BYTES = 1 << 20  # Of the file: two saved layouts and twelve paths are a few kilobytes.
_MAX_NUMBER = 2**31 - 1  # Of ids and frames, which fit into Qt's integers.
_RECENT = 12


@dataclass(frozen=True)
class LastPosition:
    """Where the user was in a case.

    Attributes:
        case: folder of the case.
        evidence_id: what was open; None for nothing.
        frame: index of the frame shown.
    """

    case: str
    evidence_id: int | None = None
    frame: int = 0


@dataclass(frozen=True)
class UserSettings:
    """Settings of the window; what a result depends on is kept with the result as well.

    Attributes:
        theme: `dark` or `light`.
        analyse_on_adding: whether new evidence is analysed at once.
        stride: every how many frames are analysed.
        opacity: of the heatmap.
        colour_map: of the heatmap.
        layout: saved state of panels, as base64.
        geometry: saved place of the window, as base64.
        answering_pack: name of the pack whose language model answers.
        built_folder: folder of built dialogues that was reviewed last.
        built_root: footage it was built from.
        recent: cases opened lately, newest first.
        place: where the user was last.
    """

    theme: str = "dark"
    analyse_on_adding: bool = True
    stride: int = 1
    opacity: float = 0.55
    colour_map: str = "inferno"
    layout: str = ""
    geometry: str = ""
    answering_pack: str = DEFAULT_PACK
    built_folder: str = ""
    built_root: str = ""
    recent: tuple[str, ...] = ()
    place: LastPosition | None = None

    def with_recent(self, case: Path) -> UserSettings:
        """Returns the settings with a case as the newest of the recent ones."""
        others = tuple(path for path in self.recent if path != str(case))
        return replace(self, recent=(str(case), *others)[:_RECENT])

    def at(self, position: LastPosition | None) -> UserSettings:
        """Returns the settings with another place."""
        return replace(self, place=position)

    def with_heat_style(self, opacity: float, colour_map: str) -> UserSettings:
        """Returns the settings with another way to draw heat."""
        return replace(self, opacity=opacity, colour_map=colour_map)


@dataclass
class SettingsFile:
    """The file the settings live in; an unreadable one counts as none and is told in the log.

    Attributes:
        path: of the file.
    """

    path: Path = field(default_factory=lambda: user_config_path("Sightline") / "window.json")

    def load(self) -> UserSettings:
        """Reads the settings; defaults where the file says nothing sensible."""
        try:
            with open_regular_file(self.path) as file:
                values = parse_json(file.read(_MAX_BYTES))
        except FileNotFoundError:
            return UserSettings()
        except (OSError, ValueError) as error:
            _LOG.warning("the settings cannot be read: %s", error)
            return UserSettings()
        return _from_json(values)

    def save(self, settings: UserSettings) -> None:
        """Writes the settings in one step, so that a crash leaves the old or the new ones."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self.path, json.dumps(asdict(settings), indent=1).encode())
        except OSError as error:
            _LOG.warning("the settings cannot be written: %s", error)


def sample_case_folder() -> Path:
    """Where the sample case lives."""
    return user_data_path("Sightline") / "Sample.case"


def _from_json(values: object) -> UserSettings:
    defaults = UserSettings()
    if not isinstance(values, dict):
        return defaults
    sound: dict[str, Any] = {}
    for setting in fields(UserSettings):
        value = values.get(setting.name)
        if setting.name == "place":
            sound["place"] = _last_position(value)
        elif setting.name == "recent":
            paths = value if isinstance(value, list) else []
            known = tuple(path for path in paths if isinstance(path, str))
            sound["recent"] = known[:_RECENT]
        elif type(value) is type(getattr(defaults, setting.name)) and _is_sound(
            setting.name, value
        ):
            sound[setting.name] = value
    return UserSettings(**sound)


def _is_sound(name: str, value: Any) -> bool:  # noqa: ANN401
    """Whether a value of the right type is one that the window can work with."""
    allowed: dict[str, bool] = {
        "theme": value in ("dark", "light"),
        "colour_map": value in COLOUR_MAPS,
        "opacity": isinstance(value, float) and 0 <= value <= 1,
        "stride": isinstance(value, int) and 1 <= value <= _MAX_NUMBER,
    }
    return allowed.get(name, True)


def _is_number(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 <= value <= _MAX_NUMBER


def _last_position(values: object) -> LastPosition | None:
    if not isinstance(values, dict) or not isinstance(values.get("case"), str):
        return None
    evidence_id, frame = values.get("evidence_id"), values.get("frame")
    return LastPosition(
        values["case"],
        evidence_id if _is_number(evidence_id) else None,
        frame if _is_number(frame) else 0,
    )
