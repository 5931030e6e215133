"""Cases: making, opening, copying, and the ones that are made by themselves."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from platformdirs import user_data_path, user_documents_path
from PySide6.QtCore import QObject, Signal

from desktop.operations.dropped_files import in_time_order, meant
from desktop.operations.evidence_operations import EvidenceOperations
from desktop.session.background import Background
from desktop.session.session import OpenCase, Session
from desktop.session.user_settings import Place, UserSettings, sample_case_folder
from desktop.state.observable import Observable
from engine.case import copy_case, is_case, refuse_beside_evidence
from engine.core.errors import BadInputError, SightlineError
from engine.core.resources import RESOURCES

SAMPLE = RESOURCES / "sample" / "sample.mp4"
"""The footage of the sample case, which the project renders itself."""


class CaseOperations(QObject):
    """Does what the examiner asks for with whole cases."""

    said = Signal(str)
    """Something was done that is not seen otherwise."""

    problem = Signal(object)
    """A SightlineError to be shown once."""

    def __init__(
        self,
        session: Session,
        evidence: EvidenceOperations,
        settings: Observable[UserSettings],
        background: Background,
    ) -> None:
        super().__init__()
        self._session = session
        self._evidence = evidence
        self._settings = settings
        self._background = background
        self._to_add: tuple[tuple[Path, ...], bool] = ((), False)
        session.opened.connect(self._opened)

    def start(self, argument: Path | None) -> None:
        """Opens what the program was started with; otherwise where the user was, or the sample."""
        place = self._settings.value.place
        if argument is not None:
            self.open_any([argument])
        elif place is not None and is_case(Path(place.case)):
            self._session.open(Path(place.case), place.evidence_id, place.frame)
        else:
            self.open_sample()

    def open_any(self, paths: Sequence[Path]) -> None:
        """Opens a case, or adds videos: to the case that is open, otherwise to one of their own."""
        found = meant(paths)
        cases = [path for path in found if is_case(path)]
        videos = [path for path in found if not is_case(path)]
        if cases:
            self.open(cases[0])
        elif not videos:
            return
        elif self._session.case is None or self._session.case.path == sample_case_folder():
            self._open_own(in_time_order(videos))
        else:
            self._evidence.add(videos)

    def new(self, folder: Path) -> None:
        """Makes an empty case."""
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            self.problem.emit(
                BadInputError("something lies there already", folder, "choose a new name")
            )
        else:
            self._session.open(folder)

    def open(self, folder: Path) -> None:
        """Opens a case."""
        if is_case(folder):
            self._session.open(folder)
        else:
            self.problem.emit(BadInputError("not a case", folder, "choose the folder of a case"))

    def open_sample(self) -> None:
        """Opens the sample case; the first time it is made and analysed."""
        folder = sample_case_folder()
        if not is_case(folder):
            self._to_add = ((SAMPLE,), True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        self._session.open(folder)

    def close(self) -> None:
        """Closes the case that is open."""
        self.remember(None)
        self._session.close()

    def copy(self, to: Path) -> None:
        """Copies the open case."""

        def copied(folder: Path) -> None:
            self.said.emit(f"The copy lies in {folder}")

        if self._session.case is not None and not self._session.case.reading_only:
            self._session.write(lambda case: copy_case(case, to), copied)
        elif self._session.case is not None:
            self._session.read(lambda case: copy_case(case, to), copied)

    def remember(self, place: Place | None) -> None:
        """Keeps where the user is, so that a crash or a start leads back there."""
        settings = self._settings.value
        self._settings.set(settings.at(place))

    def _open_own(self, videos: Sequence[Path]) -> None:
        folder = own_case_folder(videos[0])
        try:
            refuse_beside_evidence(folder, list(videos), False)
        except SightlineError:
            folder = user_data_path("Sightline") / "cases" / folder.name
        known = is_case(folder)
        self._to_add = ((), False) if known else (tuple(videos), False)
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self.problem.emit(
                BadInputError(f"no case can be made ({error.strerror})", folder, "make one by hand")
            )
            return
        self._session.open(folder)

    def _opened(self, case: OpenCase) -> None:
        self._settings.set(self._settings.value.with_recent(case.path))
        (videos, copy), self._to_add = self._to_add, ((), False)
        if videos and not case.reading_only:
            self._evidence.add(videos, copy=copy)
        if case.reading_only:
            self.problem.emit(
                SightlineError(
                    f"this case is open for reading only: {case.reading_only}",
                    case.path,
                    "to change something, close it where it is in use, or copy it to another disk",
                )
            )


def own_case_folder(video: Path) -> Path:
    """Where the case of a video lies that was opened without one: always the same for a path."""
    absolute = video.absolute()
    mark = hashlib.sha256(str(absolute).encode(errors="replace")).hexdigest()[:8]
    return user_documents_path() / "Sightline" / f"{absolute.stem[:60]}-{mark}.case"


def case_name(folder: Path) -> str:
    """Returns the name of a case as people say it."""
    return folder.name.removesuffix(".case")
