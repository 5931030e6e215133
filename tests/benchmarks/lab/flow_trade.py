"""Accuracy against speed for the flow presets and scales, on Ped2.

Run: `python -m tests.benchmarks.lab.flow_trade`
"""

from __future__ import annotations

import subprocess
import sys
import time

from engine.core.settings import MotionSettings
from tests.benchmarks.lines import ROOT, footage, run_json

_TRIED = (
    "ultrafast:0",
    "ultrafast:1",
    "ultrafast:2",
    "fast:0",
    "fast:1",
    "fast:2",
    "medium:0",
    "medium:1",
    "medium:2",
)


def trade() -> str:
    """Returns the table as Markdown."""
    defaults = MotionSettings()
    chosen = f"{defaults.flow_preset}:{defaults.flow_finest_scale}"
    rows = [
        "| flow (preset:finest scale) | CPU-ms a frame | micro | macro | pixel | RBDC | TBDC |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for flow in _TRIED:
        result = run_json(
            "evaluate", "--dataset", "ped2", "--root", footage() / "ped2", "--flow", flow
        )
        metrics = ("micro_auc", "macro_auc", "pixel_auc", "rbdc", "tbdc")
        figures = " | ".join(f"{result[metric]:.4f}" for metric in metrics)
        name = f"**{flow}** (chosen)" if flow == chosen else flow
        rows.append(f"| {name} | {_cost(flow):.1f} | {figures} |")
    return "\n".join(rows) + "\n"


def _cost(flow: str) -> float:
    """Returns CPU-milliseconds a frame for measuring one Ped2 video, decoding included."""
    script = f"""
import time
from pathlib import Path
from dataclasses import replace
from engine.pipeline.stream_measurement import measure_stream
from engine.motion.analysis_plan import make_plan
from engine.core.progress import CancelToken
from engine.core.settings import AnalysisSettings
from engine.media import open_source
settings = AnalysisSettings()
preset, scale = {flow!r}.split(":")
motion = replace(settings.motion, flow_preset=preset, flow_finest_scale=int(scale))
with open_source(Path({str(footage() / "ped2" / "testing" / "frames" / "01")!r})) as source:
    plan = make_plan(source.info, source.index, settings)
    begun = time.process_time()
    for chunk in measure_stream(source, plan, motion, CancelToken()):
        pass
    print((time.process_time() - begun) / len(plan) * 1000)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, text=True, capture_output=True, check=True
    )
    return float(done.stdout)


if __name__ == "__main__":
    begun = time.perf_counter()
    print(trade())
    print(f"{time.perf_counter() - begun:.0f} s")
