"""Cases: making, opening and copying them; also those that the program makes by itself."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from platformdirs import user_data_path, user_documents_path

from desktop.operations.dropped_files import in_time_order, resolve_dropped
from desktop.operations.evidence_operations import EvidenceOperations
from desktop.operations.operations import Operations
from desktop.session.background import Background
from desktop.session.session import OpenCase, Session
from desktop.session.user_settings import LastPosition, UserSettings, sample_case_folder
from desktop.state.observable import Observable
from engine.case import copy_case, is_case, refuse_beside_evidence
from engine.core.errors import SightlineError
from engine.core.resources import RESOURCES

SAMPLE = RESOURCES / "sample" / "sample.mp4"
"""The footage of the sample case, which the project renders itself."""


class CaseOperations(Operations):
    """Makes, opens, copies and closes cases."""

    def __init__(
        self,
        session: Session,
        evidence: EvidenceOperations,
        settings: Observable[UserSettings],
        background: Background,
    ) -> None:
        super().__init__(session)
        self._evidence = evidence
        self._settings = settings
        self._background = background
        self._to_add: tuple[tuple[Path, ...], bool] = ((), False)
        session.opened.connect(self._on_open)

    def start(self, argument: Path | None) -> None:
        """Opens what the program was started with, else the last case, else the sample case."""
        last = self._settings.value.place
        if argument is not None:
            self.open_any([argument])
        elif last is not None and is_case(Path(last.case)):
            self._session.open(Path(last.case), last.evidence_id, last.frame)
        else:
            self.open_sample()

    def open_any(self, paths: Sequence[Path]) -> None:
        """Opens a case, or adds videos: to the case that is open, otherwise to one of their own."""
        resolved = resolve_dropped(paths)
        cases = [path for path in resolved if is_case(path)]
        videos = [path for path in resolved if not is_case(path)]
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
            self._refuse("something lies there already", folder, "choose a new name")
        else:
            self._session.open(folder)

    def open(self, folder: Path) -> None:
        """Opens a case."""
        if is_case(folder):
            self._session.open(folder)
        else:
            self._refuse("not a case", folder, "choose the folder of a case")

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

        def report_copy(folder: Path) -> None:
            self.news.emit(f"The copy lies in {folder}")

        if self._session.case is not None and not self._session.case.reading_only:
            self._session.write(lambda case: copy_case(case, to), report_copy)
        elif self._session.case is not None:
            self._session.read(lambda case: copy_case(case, to), report_copy)

    def remember(self, position: LastPosition | None) -> None:
        """Saves what is on screen, so that the next start leads back there."""
        self._settings.set(self._settings.value.at(position))

    def _open_own(self, videos: Sequence[Path]) -> None:
        folder = own_case_folder(videos[0])
        try:
            refuse_beside_evidence(folder, list(videos), False)
        except SightlineError:
            folder = user_data_path("Sightline") / "cases" / folder.name
        self._to_add = ((), False) if is_case(folder) else (tuple(videos), False)
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self._refuse(f"no case can be made ({error.strerror})", folder, "make one by hand")
            return
        self._session.open(folder)

    def _on_open(self, case: OpenCase) -> None:
        self._settings.set(self._settings.value.with_recent(case.path))
        (videos, copy), self._to_add = self._to_add, ((), False)
        if videos and not case.reading_only:
            self._evidence.add(videos, copy=copy)
        if case.reading_only:
            self._report_read_only()


def own_case_folder(video: Path) -> Path:
    """Returns the folder of a case that is made for a video; it is the same for the same path."""
    absolute = video.absolute()
    digest = hashlib.sha256(str(absolute).encode(errors="replace")).hexdigest()[:8]
    return user_documents_path() / "Sightline" / f"{absolute.stem[:60]}-{digest}.case"


def case_name(folder: Path) -> str:
    """Returns the name of a case without the ending of its folder."""
    return folder.name.removesuffix(".case")
