from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engine.lab.synthesis.footage.write_footage import FootageRequest, write_footage


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six training and three validation videos, small and short."""
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("rendered")
    for split, videos in (("train", 6), ("validation", 3)):
        write_footage(root, FootageRequest(videos, 3, split, (256, 144), 3.0))
    return root


@pytest.fixture(scope="session")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of cached features that all tests share."""
    return tmp_path_factory.mktemp("features")
