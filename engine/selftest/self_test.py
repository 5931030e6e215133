"""The self-test: whether this installation still computes what it computed when it was made.

Of a built application every file is compared with the manifest that was made with it. The sample
video goes through every channel and the dialogue. Files of packs, prompts and default settings are
compared by hash, results by tolerance: another processor may differ by 0.001 in a score and finds
the same events. Kept features are rounded to half bytes, and where the processors of two makers
round one to either side a score of the text channel differs by more, so that results of both are
on record. Of an answer it is the yes or no that counts, because the words of a language model may
differ where two are almost as likely.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.case import Case, RunRow
from engine.core.build import this_build
from engine.core.channels import SCENE, TEXT
from engine.core.errors import BadInputError
from engine.core.progress import CancelToken, ProgressCallback
from engine.core.resources import RESOURCES
from engine.core.settings import AnalysisSettings
from engine.detectors.text.text_detector import open_text
from engine.detectors.text.text_setup import make_text_recipe
from engine.dialogue.answer_parsing import yes_or_no
from engine.dialogue.ask_case import ask
from engine.dialogue.model_cache import ModelCache
from engine.dialogue.turn import AskRequest
from engine.media import hash_file
from engine.packs import DEFAULT_PACK
from engine.packs.pack import find_pack
from engine.pipeline.environment import environment
from engine.pipeline.evidence_intake import add_evidence
from engine.pipeline.recipe import Recipe
from engine.pipeline.run import AnalysisRun, Resuming
from engine.selftest.installation import differences

EXPECTED = RESOURCES / "self-test.json"
"""The record of what was measured when the program was made."""

TOLERANCE = 1e-3  # By which a score may differ: processors round differently, see above.
_SAMPLE = RESOURCES / "sample" / "sample.mp4"
_QUESTION = "Is there any anomaly in the video?"


@dataclass(frozen=True)
class Check:
    """The result of one comparison.

    Attributes:
        name: what was compared.
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
            *_results(_records(expected), measure(cancel, progress)),
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInputError(
            f"the record of the self-test cannot be read ({error})", EXPECTED, "install again"
        ) from error


def record(cancel: CancelToken, progress: ProgressCallback) -> dict[str, Any]:
    """Measures what `self_test` compares with."""
    pack = (RESOURCES / "packs" / DEFAULT_PACK).rglob("*")
    files = [_SAMPLE, *sorted(path for path in pack if path.is_file())]
    return {
        "files": {path.relative_to(RESOURCES).as_posix(): _sha256(path) for path in files},
        "settings_sha256": _settings_sha256(),
        "made_with": environment(),
        "results": measure(cancel, progress),
    }


def measure(cancel: CancelToken, progress: ProgressCallback) -> dict[str, Any]:
    """Analyses the sample with every channel in a case that is thrown away.

    Returns:
        Scores by channel, events, facts and answer, in JSON values.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        Case.create(Path(folder) / "self-test.case") as case,
    ):
        run = _run(case, cancel, progress)
        turn = ask(case, AskRequest(_QUESTION), ModelCache(), cancel=cancel)
        events = [row.event for row in case.results.events(run.id)]
        return {
            "scores": {
                channel: [round(float(score), 6) for score in case.results.scores(run.id, channel)]
                for channel in case.results.channels(run.id)
            },
            "events": [[each.first_frame, each.last_frame, each.summary] for each in events],
            "facts": [fact["text"] for fact in turn["facts"]],
            "answer": turn["answer"],
        }


def _run(case: Case, cancel: CancelToken, progress: ProgressCallback) -> RunRow:
    pack = find_pack(DEFAULT_PACK)
    text = make_text_recipe(pack, None, "cpu")
    recipe = Recipe(AnalysisSettings(channels=(SCENE, TEXT)), text=text)
    evidence, source = add_evidence(case, _SAMPLE, cancel=cancel)
    with source:
        run = AnalysisRun(
            case, evidence, source, recipe, text=open_text(None, text, pack=pack), cancel=cancel,
            progress=progress,
        )  # fmt: skip
        return run.execute(Resuming(finished=False, unfinished=False))


def _installation(cancel: CancelToken) -> Iterable[Check]:
    build = this_build()
    if build is None:
        return
    checks = [Check(name, False, detail) for name, detail in differences(build, cancel)]
    yield from checks
    if not checks:
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


def _records(expected: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns the recorded results of every kind of processor."""
    return [expected["results"], *(other["results"] for other in expected.get("others", []))]


def _results(records: list[dict[str, Any]], actual: dict[str, Any]) -> Iterable[Check]:
    expected = min(
        records, key=lambda known: _largest_difference(known["scores"], actual["scores"])
    )
    for channel, scores in expected["scores"].items():
        yield _scores(channel, scores, actual["scores"].get(channel, []))
    for name in ("events", "facts"):
        same = actual[name] == expected[name]
        detail = f"{len(actual[name])}, the same" if same else f"differ: {actual[name]}"
        yield Check(name, same, detail)
    same = yes_or_no(expected["answer"] or "") == yes_or_no(actual["answer"] or "")
    same = same and (expected["answer"] is None) == (actual["answer"] is None)
    yield Check("answer", same, actual["answer"] or "no language model")


def _largest_difference(expected: dict[str, list[float]], actual: dict[str, list[float]]) -> float:
    pairs = [(scores, actual.get(channel, [])) for channel, scores in expected.items()]
    if any(len(scores) != len(other) for scores, other in pairs):
        return math.inf
    return max(float(np.abs(np.subtract(*pair)).max(initial=0.0)) for pair in pairs)


def _scores(channel: str, expected: list[float], actual: list[float]) -> Check:
    name = f"scores of {channel}"
    if len(expected) != len(actual):
        return Check(name, False, f"{len(actual)} scores instead of {len(expected)}")
    difference = float(np.abs(np.subtract(expected, actual)).max()) if expected else 0.0
    return Check(name, difference <= TOLERANCE, f"{len(actual)}, at most {difference:.6f} apart")


def _sha256(path: Path) -> str:
    return hash_file(path)["sha256"]


def _settings_sha256() -> str:
    text = json.dumps(asdict(AnalysisSettings()), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def main() -> None:
    """Writes the record; run after a change that changes results on purpose."""
    about = "Records anew what the self-test expects, after a change of results on purpose."
    parser = argparse.ArgumentParser(prog="python -m engine.selftest.self_test", description=about)
    parser.add_argument(
        "--add", action="store_true", help="keep the record and add the results of this processor"
    )
    add = parser.parse_args().add
    values = record(CancelToken(), lambda _progress: None)
    if add:
        known = json.loads(EXPECTED.read_text("utf-8"))
        other = {name: values[name] for name in ("made_with", "results")}
        values = known | {"others": [*known.get("others", []), other]}
    EXPECTED.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
