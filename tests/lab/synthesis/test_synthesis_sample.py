from __future__ import annotations

import json
from pathlib import Path

import av

SAMPLE = Path(__file__).parents[3] / "resources" / "sample"


def test_the_sample_is_small_and_a_cyclist_crosses_in_its_second_half() -> None:
    path = SAMPLE / "sample.mp4"
    assert path.stat().st_size <= 1_000_000
    truth = json.loads((SAMPLE / "sample.json").read_text("utf-8"))
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (640, 360)
        assert stream.average_rate == 25
        assert 200 <= stream.frames <= 250
        assert stream.frames == truth["frames"]
    walkers = [t for t in truth["targets"] if not t["abnormal"]]
    (cyclist,) = [t for t in truth["targets"] if t["abnormal"]]
    assert 3 <= len(walkers) <= 5
    assert cyclist["first_frame"] >= truth["frames"] / 2
    assert 2 <= (cyclist["last_frame"] - cyclist["first_frame"]) / truth["fps"] <= 3
