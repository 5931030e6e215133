"""The tables of channels and of scene attributes: every entry is there under its stored name."""

from __future__ import annotations

import pytest

from engine.core.channels import CHANNELS, FUSED, SCENE_ATTRIBUTES, leading_channel, order_channels
from engine.core.errors import BadInputError
from engine.core.settings import SceneSettings
from engine.detectors.scene.attributes.attribute import Attribute
from engine.pipeline.channels.scoring import SCORERS


def test_every_channel_has_a_scorer() -> None:
    assert list(SCORERS) == list(CHANNELS)
    assert all(callable(scorer) for scorer in SCORERS.values())


def test_every_attribute_is_listed_under_its_own_name_and_has_unit_and_wording() -> None:
    assert SceneSettings().attributes == tuple(SCENE_ATTRIBUTES)
    for name, attribute in SCENE_ATTRIBUTES.items():
        assert issubclass(attribute, Attribute)
        assert attribute.name == name
        assert attribute.unit
        assert attribute.describe(2.0, 1.0, 2.0)


def test_channels_run_in_the_order_of_the_table_and_each_once() -> None:
    names = list(CHANNELS)
    assert order_channels([*reversed(names), names[0]]) == tuple(names)
    assert leading_channel(names) == FUSED
    assert leading_channel(names[:1]) == names[0]


@pytest.mark.parametrize(
    ("names", "where"), [([], ""), (["scene", "smell", "taste"], "smell,taste")]
)
def test_what_is_no_channel_is_refused(names: list[str], where: str) -> None:
    with pytest.raises(BadInputError, match="unknown channel") as raised:
        order_channels(names)
    assert str(raised.value.where) == where
