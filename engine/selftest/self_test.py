"""Does this installation still compute what it computed when it was made?

Of a built application every file is compared with the manifest that was made with it. The sample
video goes through every channel and the dialogue. Files of packs, prompts and default settings are
compared by hash, results by tolerance: another processor may differ by 0.001 in a
score and finds the same events; of an answer it is the yes or no that counts, because the words of
a language model may differ where two are almost as likely.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.case import Case, RunRow
from engine.core.build import this_build
from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, ProgressCallback
from engine.core.resources import RESOURCES
from engine.core.settings import AnalysisSettings
from engine.detectors.text.text_detector import open_text
from engine.detectors.text.text_model import text_recipe
from engine.dialogue.answer_parsing import yes_or_no
from engine.dialogue.ask_case import ask
from engine.dialogue.model_cache import ModelShelf
from engine.dialogue.turn import AskRequest
from engine.media import hash_file
from engine.pipeline.environment import environment
from engine.pipeline.evidence_intake import add_evidence
from engine.pipeline.fusion import SCENE, TEXT
from engine.pipeline.recipe import Recipe
from engine.pipeline.run import Resuming, Run
from engine.selftest.installation import differences

EXPECTED = RESOURCES / "self-test.json"
"""What was measured when the program was made."""

TOLERANCE = 1e-3
_SAMPLE = RESOURCES / "sample" / "sample.mp4"
_PACK = "compact"
_QUESTION = "Is there any anomaly in the video?"


@dataclass(frozen=True)
class Check:
    """One thing that was compared.

    Attributes:
        name: what.
        ok: whether it is as it was.
        detail: what differs, or by how much at most.
    """

    name: str
    ok: bool
    detail: str


def self_test(cancel: CancelToken, progress: ProgressCallback) -> list[Check]:
    """Compares files, settings and results with what was recorded.

    Raises:
        BadInputError: the record, or the manifest of a built application, is missing or damaged.
        CancelledError: the user stopped.
        ResourceError: a model cannot be loaded.
    """
    try:
        expected = json.loads(EXPECTED.read_text("utf-8"))
        return [
            *_installation(cancel),
            *_files(expected["files"]),
            _settings(expected["settings_sha256"]),
            *_results(expected["results"], measured(cancel, progress)),
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInputError(
            f"the record of the self-test cannot be read ({error})", EXPECTED, "install again"
        ) from error


def record(cancel: CancelToken, progress: ProgressCallback) -> dict[str, Any]:
    """Measures what `self_test` compares with."""
    pack = (RESOURCES / "packs" / _PACK).rglob("*")
    files = [_SAMPLE, *sorted(one for one in pack if one.is_file())]
    return {
        "files": {str(one.relative_to(RESOURCES).as_posix()): _sha256(one) for one in files},
        "settings_sha256": _settings_sha256(),
        "made_with": environment(),
        "results": measured(cancel, progress),
    }


def measured(cancel: CancelToken, progress: ProgressCallback) -> dict[str, Any]:
    """Analyses the sample with every channel in a case that is thrown away.

    Returns:
        Scores by channel, events, facts and answer, in JSON values.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        Case.create(Path(folder) / "self-test.case") as case,
    ):
        run = _run(case, cancel, progress)
        asked = ask(case, AskRequest(_QUESTION), ModelShelf(), cancel=cancel)
        events = [row.event for row in case.results.events(run.id)]
        return {
            "scores": {
                channel: [round(float(one), 6) for one in case.results.scores(run.id, channel)]
                for channel in case.results.channels(run.id)
            },
            "events": [[one.first_frame, one.last_frame, one.summary] for one in events],
            "facts": [one["text"] for one in asked["facts"]],
            "answer": asked["answer"],
        }


def _run(case: Case, cancel: CancelToken, progress: ProgressCallback) -> RunRow:
    text = text_recipe(_PACK, None, "cpu")
    recipe = Recipe(AnalysisSettings(channels=(SCENE, TEXT)), text=text)
    evidence, source = add_evidence(case, _SAMPLE, cancel=cancel)
    with source:
        run = Run(
            case, evidence, source, recipe, text=open_text(None, text), cancel=cancel,
            progress=progress,
        )  # fmt: skip
        return run.execute(Resuming(finished=False, unfinished=False))


def _installation(cancel: CancelToken) -> Iterable[Check]:
    build = this_build()
    if build is None:
        return
    found = [Check(name, False, detail) for name, detail in differences(build, cancel)]
    yield from found
    if not found:
        detail = f"{len(build.files)}, as built from {build.commit}"
        yield Check("files of the program", True, detail)


def _files(expected: dict[str, str]) -> Iterable[Check]:
    for name, sha256 in expected.items():
        path = RESOURCES / name
        if not path.is_file():
            yield Check(name, False, "is missing")
        else:
            same = _sha256(path) == sha256
            yield Check(name, same, "unchanged" if same else "has changed")


def _settings(expected: str) -> Check:
    same = _settings_sha256() == expected
    return Check("default settings", same, "unchanged" if same else "have changed")


def _results(expected: dict[str, Any], found: dict[str, Any]) -> Iterable[Check]:
    for channel, wanted in expected["scores"].items():
        yield _scores(channel, wanted, found["scores"].get(channel, []))
    for name in ("events", "facts"):
        same = found[name] == expected[name]
        detail = f"{len(found[name])}, the same" if same else f"differ: {found[name]}"
        yield Check(name, same, detail)
    said = [yes_or_no(one["answer"] or "") for one in (expected, found)]
    there = (expected["answer"] is None) == (found["answer"] is None)
    yield Check("answer", there and said[0] == said[1], found["answer"] or "no language model")


def _scores(channel: str, wanted: list[float], found: list[float]) -> Check:
    name = f"scores of {channel}"
    if len(wanted) != len(found):
        return Check(name, False, f"{len(found)} scores instead of {len(wanted)}")
    apart = float(np.abs(np.subtract(wanted, found)).max()) if wanted else 0.0
    return Check(name, apart <= TOLERANCE, f"{len(found)}, at most {apart:.6f} apart")


def _sha256(path: Path) -> str:
    return hash_file(path)["sha256"]


def _settings_sha256() -> str:
    text = json.dumps(asdict(AnalysisSettings()), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def main() -> None:
    """Writes the record; run after a change that changes results on purpose."""
    about = "Records anew what the self-test expects, after a change of results on purpose."
    argparse.ArgumentParser(
        prog="python -m engine.selftest.self_test", description=about
    ).parse_args()
    made = record(CancelToken(), lambda _progress: None)
    EXPECTED.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
