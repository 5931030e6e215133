from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import BadInputError
from engine.packs.prompt_sets import (
    PromptSet,
    Templates,
    dump_prompts,
    expand,
    load_prompts,
    parse_prompts,
)

SOUND = "language: en\nnormal: [person walking]\nabnormal: [person running, vehicle]\n"


def _load(tmp_path: Path, text: str | bytes) -> PromptSet:
    path = tmp_path / "prompts.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_prompts(path)


def test_three_nested_levels() -> None:
    assert expand("person jumping", Templates()) == (
        "person jumping",
        "surveillance video of person jumping",
        "A short surveillance clip where surveillance video of person jumping occurs.",
    )


def test_templates_are_text_not_format_strings(tmp_path: Path) -> None:
    prompts = _load(tmp_path, SOUND + "templates: {phrase: 'Aufnahme: {} {0.__class__} %s'}\n")
    assert expand("x", prompts.templates)[1] == "Aufnahme: x {0.__class__} %s"
    assert prompts.templates.sentence == Templates().sentence


def test_a_set_is_read_with_spaces_made_single(tmp_path: Path) -> None:
    prompts = _load(tmp_path, SOUND.replace("person running", "'  person   running '"))
    assert prompts == PromptSet("en", ("person walking",), ("person running", "vehicle"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no prompt set"),
        ("- a\n- b\n", "no prompt set"),
        ("language: en\nnormal: [a]\n", "abnormal is no list"),
        ("language: en\nnormal: []\nabnormal: [a]\n", "no normal prompt"),
        ("language: en\nnormal: [a]\nabnormal: ['']\n", "abnormal prompt 1 is empty"),
        ("language: en\nnormal: [a]\nabnormal: [b, '  ']\n", "abnormal prompt 2 is empty"),
        ("language: en\nnormal: [a]\nabnormal: [no]\n", 'abnormal prompt 1 is not text ("False")'),
        ("language: en\nnormal: [a]\nabnormal: [2020-01-01]\n", "abnormal prompt 1 is not text"),
        ("language: en\nnormal: [a]\nabnormal: [[b]]\n", "abnormal prompt 1 is not text"),
        ("language: en\nnormal: [a]\nabnormal: {b: c}\n", "abnormal is no list"),
        ("language: en\nnormal: a\nabnormal: [b]\n", "normal is no list"),
        ("language: en\nnormal: [b, a]\nabnormal: [A]\n", 'prompt "A" is both normal and abnormal'),
        ("language: en\nnormal: [a]\nabnormal: [b, B]\n", '"B" stands twice'),
        (f"language: en\nnormal: [a]\nabnormal: [{'x' * 121}]\n", "has 121 characters, 120"),
        (f"language: en\nnormal: [a]\nabnormal: {[f'p{i}' for i in range(65)]}\n", "more than 64"),
        ('language: en\nnormal: [a]\nabnormal: ["b\\e[31m"]\n', "has control characters"),
        ('language: en\nnormal: [a]\nabnormal: ["b\\u202Ec"]\n', "has control characters"),
        ("language: en\nnormal: [a]\nabnormal: ['b {}']\n", "abnormal prompt 1 holds {}"),
        ("normal: [a]\nabnormal: [b]\n", "without a language"),
        ("language: [en]\nnormal: [a]\nabnormal: [b]\n", "without a language"),
        ("language: English!\nnormal: [a]\nabnormal: [b]\n", "without a language"),
        (SOUND + "extra: 1\n", 'unknown entry "extra"'),
        (SOUND + "normal: [c]\n", '"normal" stands twice'),
        (SOUND + "templates: {word: x}\n", "templates are not"),
        (SOUND + "templates: {phrase: none}\n", "template phrase without exactly one {}"),
        (SOUND + "templates: {sentence: '{} {}'}\n", "template sentence without exactly one {}"),
        (SOUND + "templates: {phrase: 3}\n", "template phrase is not text"),
    ],
)
def test_each_fault_is_named_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadInputError) as caught:
        _load(tmp_path, text)
    assert said in caught.value.what
    assert "\n" not in caught.value.line()
    assert caught.value.where.endswith("prompts.yaml")


_BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (_BOMB, "alias or anchor"),
        ("a: &a [*a]\n", "alias or anchor"),
        ("[" * 30_000, "nested too deeply"),
        ("- x\n" * 3_000, "too many"),
        (SOUND + "x: !!python/object/apply:os.system [id]\n", "a tag"),
        (SOUND + "x: !!binary aGk=\n", "a tag"),
        ("language: en: de\n", "no YAML"),
        ("a: " + "9" * 5_000, "no YAML"),
        ("a: 2020-99-99\n", "no YAML"),
        ("{[a]: b}\n", "no YAML"),
        (b"\xff\xfe\x00", "no YAML"),
        ("a: \x00\n", "no YAML"),
        ("x" * (65 << 10), "more than 64 KB"),
        ("a: 1\n---\nb: 2\n", "no YAML"),
    ],
)
def test_hostile_yaml_is_refused(tmp_path: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(BadInputError, match=said) as caught:
        _load(tmp_path, text)
    assert "\n" not in caught.value.line()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"prompts cannot be read.*absent\.yaml"):
        load_prompts(tmp_path / "absent.yaml")


_WORD = st.text(
    st.characters(categories=("L", "Nd", "P", "Zs"), exclude_characters="{}"), min_size=1
).filter(lambda text: bool(text.strip()))


@given(st.lists(_WORD, min_size=2, max_size=6))
def test_what_is_accepted_is_written_and_read_again_unchanged(words: list[str]) -> None:
    try:
        prompts = parse_prompts({"language": "en", "normal": words[:1], "abnormal": words[1:]})
    except BadInputError:
        return
    assert parse_prompts(prompts.as_json()) == prompts


def test_dumped_yaml_reads_back(tmp_path: Path) -> None:
    prompts = PromptSet("de", ("Mensch, gehend", "no"), ("Fahrrad: schnell", "'x' # y", "123"))
    assert _load(tmp_path, dump_prompts(prompts)) == prompts
