from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from engine.core.errors import BadInputError, CancelledError
from engine.core.progress import CancelToken, Progress, silent
from engine.tvad.decoder_file import decoder_bytes
from tests.lab.training.training_material import training


def run(footage: Path, features: Path, work: Path, **settings: Any) -> bytes:
    run = training(footage, features, work, **settings)
    return decoder_bytes(run.run("cpu", silent, CancelToken()))


def test_loss_falls_and_is_logged(rendered: Path, features: Path, tmp_path: Path) -> None:
    run = training(rendered, features, tmp_path, epochs=60, peak_rate=5e-3, dropout=0.0)
    run.run("cpu", silent, CancelToken())
    losses = [entry["loss"] for entry in run.log]
    assert losses[-1] < 0.8 * losses[0]
    assert all(0 <= entry["class_auc"] <= 1 for entry in run.log)


def test_same_seed_gives_the_same_weights_bit_for_bit(
    rendered: Path, features: Path, tmp_path: Path
) -> None:
    first = run(rendered, features, tmp_path / "a")
    assert run(rendered, features, tmp_path / "b") == first
    assert run(rendered, features, tmp_path / "c", seed=2) != first


def test_stopped_training_goes_on_as_if_it_had_not_been(
    rendered: Path, features: Path, tmp_path: Path
) -> None:
    whole = run(rendered, features, tmp_path / "whole")
    for steps in (1, 4):
        work = tmp_path / f"stopped-{steps}"
        cancel = CancelToken()

        def stop(progress: Progress, at: int = steps, token: CancelToken = cancel) -> None:
            if progress.done == at:
                token.cancel()

        with pytest.raises(CancelledError):
            training(rendered, features, work).run("cpu", stop, cancel)
        resumed = training(rendered, features, work)
        reports: list[Progress] = []
        assert decoder_bytes(resumed.run("cpu", reports.append, CancelToken())) == whole
        assert min(report.done for report in reports if report.stage == "training") == steps + 1


def test_state_of_another_training_or_a_damaged_one_is_refused(
    rendered: Path, features: Path, tmp_path: Path
) -> None:
    run(rendered, features, tmp_path)
    with pytest.raises(BadInputError, match="other settings"):
        run(rendered, features, tmp_path, peak_rate=1e-4)
    (tmp_path / "stage1.safetensors").write_bytes(b"\x80\x04pickle")
    with pytest.raises(BadInputError, match="damaged"):
        run(rendered, features, tmp_path)


def test_a_loss_that_is_no_number_stops_the_training(
    rendered: Path, features: Path, tmp_path: Path
) -> None:
    run = training(rendered, features, tmp_path)
    real = run._training.read

    def poisoned(index: int) -> Any:
        window = real(index)
        window.features.maps[0][:] = torch.nan
        return window

    run._training.read = poisoned  # type: ignore[method-assign]
    with pytest.raises(BadInputError, match="no number"):
        run.run("cpu", silent, CancelToken())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU for a training step on a GPU")
def test_a_step_on_a_gpu_goes_well(rendered: Path, features: Path, tmp_path: Path) -> None:
    run = training(rendered, features, tmp_path, epochs=1)
    run.run("cuda:0", silent, CancelToken())
    assert run.log[-1]["loss"] > 0
