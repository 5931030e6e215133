"""What is no video is refused by name, and nothing else is opened for it."""

from __future__ import annotations

import os
from pathlib import Path

import av
import numpy as np
import pytest

from engine.core.errors import MediaError
from engine.media import open_source
from tests.clips import pattern, write_video
from tests.media.conftest import Clip

_HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:1.6,\n{name}\n#EXT-X-ENDLIST\n"
_DASH = (
    '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
    'mediaPresentationDuration="PT2S"><Period><AdaptationSet mimeType="video/mp4">'
    '<Representation id="1" bandwidth="1"><BaseURL>{name}</BaseURL></Representation>'
    "</AdaptationSet></Period></MPD>"
)
_SDP = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nt=0 0\nm=video 5004 RTP/AVP 96\n"


def refusal(path: Path) -> str:
    with pytest.raises(MediaError) as caught:
        open_source(path)
    assert "\n" not in caught.value.line()
    assert str(path) in caught.value.line()
    assert caught.value.remedy
    return caught.value.what


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("list.mp4", "ffconcat version 1.0\nfile '{name}'\n"),
        ("list.m3u8", _HLS),
        ("list.ts", _HLS),
        ("list.mp4", _HLS),
        ("list.mpd", _DASH),
        ("list.mp4", _DASH),
        ("list.sdp", _SDP),
    ],
)
def test_a_playlist_reaches_no_other_file(file: str, text: str, tmp_path: Path, clip: Clip) -> None:
    name = clip("open_gop_ts").name
    other = tmp_path / name
    other.write_bytes(clip("open_gop_ts").read_bytes())
    os.utime(other, ns=(0, other.stat().st_mtime_ns))
    path = tmp_path / file
    path.write_text(text.format(name=name))
    assert "playlist" in refusal(path)
    assert other.stat().st_atime_ns == 0


def test_a_reference_inside_a_quicktime_file_is_not_followed(tmp_path: Path, clip: Clip) -> None:
    data = clip("constant").read_bytes()
    own = b"\x00\x00\x00\x0curl \x00\x00\x00\x01"
    assert own in data
    # The same file, but saying that its frames lie in another one.
    path = tmp_path / "reference.mp4"
    path.write_bytes(data.replace(own, b"\x00\x00\x00\x0curl \x00\x00\x00\x00"))
    (tmp_path / "other.mp4").write_bytes(data)
    with open_source(path) as source:
        assert len(source.index)


def test_each_kind_of_bad_file_has_its_own_words(tmp_path: Path, clip: Clip) -> None:
    empty = tmp_path / "empty.mp4"
    empty.touch()
    noise = tmp_path / "noise.mp4"
    noise.write_bytes(np.random.default_rng(0).bytes(50_000))
    folder = tmp_path / "folder"
    folder.mkdir()
    pipe = tmp_path / "pipe.mp4"
    os.mkfifo(pipe)
    sound = tmp_path / "sound.mp4"
    _write_sound(sound)
    words = {
        refusal(tmp_path / "missing.mp4"): "does not exist",
        refusal(empty): "empty",
        refusal(noise): "not a video",
        refusal(folder): "no images",
        refusal(pipe): "pipe",
        refusal(sound): "sound but no video",
        refusal(tmp_path / ("x" * 300)): "cannot be opened",
    }
    assert len(words) == 7
    assert all(word in what for what, word in words.items())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    path = tmp_path / "locked.mp4"
    path.write_bytes(b"x")
    path.chmod(0)
    assert "permission" in refusal(path)


def test_an_encrypted_video_is_refused_as_such(tmp_path: Path) -> None:
    secret = {
        "encryption_scheme": "cenc-aes-ctr",
        "encryption_key": "00112233445566778899aabbccddeeff",
        "encryption_kid": "00112233445566778899aabbccddeeff",
    }
    path = write_video(tmp_path / "secret.mp4", pattern(5), container_options=secret)
    assert "encrypted" in refusal(path)


def test_a_video_in_which_nothing_can_be_decoded_is_refused(tmp_path: Path) -> None:
    path = write_video(tmp_path / "dead.avi", pattern(5), codec="mjpeg", pix_fmt="yuvj420p")
    data = path.read_bytes()
    path.write_bytes(data.replace(b"\xff\xc0", b"\x00\x00").replace(b"\xff\xda", b"\x00\x00"))
    assert "none of the frames can be decoded" in refusal(path)


def test_a_picture_size_that_no_camera_has_is_refused(tmp_path: Path) -> None:
    path = write_video(tmp_path / "wide.avi", pattern(2), codec="rawvideo")
    data = bytearray(path.read_bytes())
    at = data.index(b"strf") + 12
    data[at : at + 8] = (20_000).to_bytes(4, "little") + (16).to_bytes(4, "little")
    path.write_bytes(data)
    assert "20000x16 is not plausible" in refusal(path)
    data[at : at + 8] = (100_000).to_bytes(4, "little") * 2
    path.write_bytes(data)
    assert "not plausible" in refusal(path)


def test_a_link_to_a_video_is_a_video(tmp_path: Path, clip: Clip) -> None:
    link = tmp_path / "link.mp4"
    link.symlink_to(clip("constant"))
    with open_source(link) as source:
        assert source.frame(0).image is not None


def test_nothing_is_printed_about_damage(
    tmp_path: Path, clip: Clip, capfd: pytest.CaptureFixture[str]
) -> None:
    data = bytearray(clip("b_frames").read_bytes())
    data[len(data) // 2 : len(data) // 2 + 200] = bytes(200)
    path = tmp_path / "damaged.mp4"
    path.write_bytes(data)
    with open_source(path) as source:
        list(source.frames())
    assert capfd.readouterr() == ("", "")


def _write_sound(path: Path) -> None:
    with av.open(str(path), "w") as output:
        stream = output.add_stream("aac", rate=16000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.float32), "fltp", "mono")
        frame.rate = 16000
        output.mux([*stream.encode(frame), *stream.encode(None)])
