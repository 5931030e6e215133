"""A report that cannot be finished leaves nothing behind but a line that says why."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.case import Case
from engine.core.errors import CancelledError
from engine.core.progress import CancelToken, Progress
from engine.report import html_report, pdf_report
from engine.report import report_package as package
from engine.report.write_report import write_report
from tests.cli.cli_material import Command

ROOT = Path(__file__).parents[2]


def failing_write(path: Path, *_: object) -> None:
    path.write_bytes(b"half")
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


@pytest.mark.parametrize("ending", ["pdf", "html", "zip"])
def test_a_full_disk_leaves_no_half_report(
    command: Command,
    reviewed_case: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ending: str,
) -> None:
    for module, name in (
        (pdf_report, "write_pdf"), (html_report, "write_html"), (package, "write_pdf"),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, failing_write)
    out = tmp_path / "out"
    ran = command("report", "--case", reviewed_case, "--to", out / f"r.{ending}")
    assert ran.code == 4
    assert "the disk is full" in ran.error
    assert list(out.iterdir()) == []
    assert not any((reviewed_case / "cache").glob("report-*"))
    with Case.open(reviewed_case) as opened:
        assert not opened.exports.all()
    assert command("verify", "--case", reviewed_case).code == 0


def test_a_document_that_cannot_be_set_is_one_line(
    command: Command, reviewed_case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "report.typ"
    broken.write_text('#panic("on purpose")')
    monkeypatch.setattr(pdf_report, "TEMPLATE", broken)
    ran = command("report", "--case", reviewed_case, "--to", tmp_path / "r.pdf")
    assert ran.code == 2
    assert "the page cannot be set" in ran.error
    assert "on purpose" in ran.error
    assert not (tmp_path / "r.pdf").exists()


@pytest.mark.parametrize("stage", ["hashing", "pictures", "typesetting"])
def test_a_cancelled_report_leaves_nothing(reviewed_case: Path, tmp_path: Path, stage: str) -> None:
    token = CancelToken()

    def stop(progress: Progress) -> None:
        if progress.stage == stage:
            token.cancel()

    out = tmp_path / "out"
    with Case.open(reviewed_case, write=True) as opened, pytest.raises(CancelledError):
        write_report(opened, out / "r.pdf", cancel=token, progress=stop)
    assert list(out.iterdir()) == []
    assert not any((reviewed_case / "cache").glob("report-*"))


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills as POSIX does")
def test_a_kill_leaves_the_case_and_no_half_report(
    command: Command, reviewed_case: Path, tmp_path: Path
) -> None:
    script = (
        "import os, signal, sys\n"
        "import engine.report.html_report as h\n"
        "def killed(path, *_):\n"
        "    path.write_bytes(b'half'); os.kill(os.getpid(), signal.SIGKILL)\n"
        "h.write_html = killed\n"
        "from engine.cli.main import run\n"
        "sys.exit(run(sys.argv[1:]))\n"
    )
    out = tmp_path / "out"
    out.mkdir()
    words = ["report", "--case", str(reviewed_case), "--to", str(out / "r.html")]
    done = subprocess.run([sys.executable, "-c", script, *words], cwd=ROOT, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    assert not (out / "r.html").exists()
    assert command("verify", "--case", reviewed_case).code == 0
    assert command(*words).code == 0
