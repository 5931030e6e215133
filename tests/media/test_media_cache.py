"""The cache of decoded frames stays within its bound and drops whole groups."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.media.group_cache import GroupCache


def test_the_group_used_longest_ago_goes_as_a_whole() -> None:
    cache: GroupCache[str] = GroupCache(60)
    for group in (0, 1):
        for index in range(3):
            cache.put(group, index, f"{group}{index}", 10)
    assert cache.get(0, 2) == "02"
    cache.put(2, 0, "20", 10)
    assert [cache.get(1, index) for index in range(3)] == [None] * 3
    assert [cache.get(0, index) for index in range(3)] == ["00", "01", "02"]
    assert cache.size == 40


def test_a_group_over_the_bound_keeps_the_frames_put_last() -> None:
    cache: GroupCache[int] = GroupCache(50)
    for index in range(100):
        cache.put(7, index, index, 10)
    assert [index for index in range(100) if cache.get(7, index) is not None] == list(
        range(95, 100)
    )
    cache.put(7, 100, 100, 1000)
    assert cache.get(7, 100) == 100
    assert cache.get(7, 99) is None


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9), st.integers(1, 40)), max_size=80),
    st.integers(1, 120),
)
def test_memory_is_bounded_and_values_are_right(
    puts: list[tuple[int, int, int]], bound: int
) -> None:
    cache: GroupCache[tuple[int, int]] = GroupCache(bound)
    for group, index, size in puts:
        cache.put(group, index, (group, index), size)
        assert cache.get(group, index) == (group, index)
        assert cache.size <= max(bound, size)
    for group in range(5):
        for index in range(10):
            assert cache.get(group, index) in (None, (group, index))
    cache.clear()
    assert cache.size == 0
