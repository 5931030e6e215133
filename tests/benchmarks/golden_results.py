"""Everything that users and other programs see of Sightline, as files that two versions share.

    python -m tests.benchmarks.golden_results --checkout DIR --footage DIR --to DIR [--keep DIR]

Runs the command line and the engine process of a checkout that is set up, on real footage, as
golden_results.toml says, and writes all that they say and make into `--to`. What differs from run
to run (times, rates, free memory, paths, hashes over these) becomes a placeholder: `diff -r` of
what two checkouts wrote on one machine is empty when nothing changed. `--keep` gets the cases, for
a later version to open. One at a time: paths go into hashes, so the work folder never changes.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import re
import shlex
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
import tomllib
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

TABLES = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
PLAIN = TABLES["plain"]


class Golden:
    """Runs what there is to run in a checkout and keeps what was seen; makes a new work folder."""

    def __init__(self, checkout: Path, footage: Path, work: Path) -> None:
        self._begin = [str(checkout / ".venv/bin/python"), str(checkout / "main.py")]
        self._work = work
        self._names = {"clips": footage / "clips", "ped2": footage / "ped2", "zeros": "0" * 64}
        self._places = {work: "<work>", checkout: "<checkout>", footage: "<footage>"}
        self._environment = {
            "PATH": os.environ["PATH"], "HOME": f"{work}/home", "TMPDIR": f"{work}/tmp",
            "TZ": "UTC", "LANG": "C.UTF-8", "COLUMNS": "80",
        }  # fmt: skip
        self._changing: set[str] = set()
        self._seen: dict[str, str] = {}
        _make_material(work, checkout / "resources")

    def everything(self) -> None:
        """Runs everything, in the order in which one thing needs another."""
        for words in ("", *TABLES["help"]):
            self._seen[f"help/{words or 'program'}.txt"] = self._run(f"{words} --help")
        for number, words in enumerate(_commands(TABLES["commands"]), 1):
            if words.startswith("teach") and not (self._work / "marks.json").exists():
                found, _, _ = self._start("events --case fight.case --json")
                _write_marks(self._work, json.loads(found))
            if words == "verify --case tampered.case --json":
                _tamper(self._work)
            name = re.sub(r"[^a-z0-9]+", "-", words.lower())[:70].strip("-")
            self._seen[f"commands/{number:02}-{name}.txt"] = self._run(words)
        self._seen["commands/stopped.txt"] = self._stopped()
        _own(self._work / "sample.case", self._work / "owned.case", "elsewhere")
        self._seen["bad-input.txt"] = "".join(map(self._run, _commands(TABLES["bad"])))
        _own(self._work / "fight.case", self._work / "worker.case", socket.gethostname())
        self._seen["protocol.txt"] = self._protocol()
        self._seen["problem.txt"] = "".join(map(self._run, _commands(TABLES["last"])))
        for folder in ("out", "dump", "built", "measured", "synth", "home", "tmp"):
            for file in sorted((self._work / folder).rglob("*")):
                if file.is_file():
                    self._seen[f"files/{file.relative_to(self._work)}.txt"] = self._file(file)
        for case in sorted(self._work.glob("*.case")):
            if case.name != "stopped.case":
                self._seen[f"cases/{case.stem}.txt"] = self._case(case)

    def write(self, to: Path) -> None:
        """Writes what was seen, without what differs from run to run."""
        for name, text in self._seen.items():
            file = to / name.replace(" ", "-")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(self._steady(text), encoding="utf-8")

    def _steady(self, text: str) -> str:
        for place, name in sorted(self._places.items(), key=lambda one: -len(str(one[0]))):
            text = text.replace(str(place), name)
        text = text.replace(socket.gethostname(), "<host>")
        text = re.sub(
            r"data:[\w/+;-]+,([\w+/=]+)", lambda one: f"data:{_sha256(one[1].encode())}", text
        )
        text = re.sub(r"\b[0-9a-f]{12,64}\b", self._hash, text)
        for pattern, placed in PLAIN["words"]:
            text = re.sub(pattern, placed, text)
        return text

    def _changes(self, *hashes: str) -> None:
        """Keeps hashes that differ from run to run; a report breaks each in two halves."""
        self._changing |= {one[begin : begin + 12] for one in hashes for begin in (0, 32)}

    def _hash(self, found: re.Match[str]) -> str:
        return "<hash>" if found[0][:12] in self._changing else found[0]

    def _start(self, words: str) -> tuple[str, str, int]:
        told = [*self._begin, *shlex.split(words.format(**self._names)), "--quiet"]
        ran = subprocess.run(
            told, cwd=self._work, env=self._environment, capture_output=True, text=True,
            stdin=subprocess.DEVNULL, timeout=600, check=False,
        )  # fmt: skip
        return ran.stdout, ran.stderr, ran.returncode

    def _run(self, words: str) -> str:
        """Returns a command with everything it said."""
        begun = time.monotonic()
        out, err, code = self._start(words)
        print(f"{time.monotonic() - begun:6.1f} s  {words}", flush=True)
        if out.startswith("{"):
            out = _plain(json.loads(out))
        return f"$ {words}\n{out}{err}exit code {code}\n\n"

    def _stopped(self) -> str:
        """Stops an analysis with Ctrl+C once something is committed, and lets it go on."""
        words = "analyze {clips}/vtest.avi --case stopped.case --stride 3 --json"
        export = "export --case stopped.case --evidence 1 --to out/resumed.npz"
        told = [*self._begin, *shlex.split(words.format(**self._names))]
        with subprocess.Popen(
            told, cwd=self._work, env=self._environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as running:  # fmt: skip
            while running.poll() is None and not _count(self._work / "stopped.case", "chunk"):
                time.sleep(0.05)
            running.send_signal(signal.SIGINT)
            out, err = running.communicate(timeout=60)
        return f"{out}{err}exit code {running.returncode}\n{self._run(words)}{self._run(export)}"

    def _protocol(self) -> str:
        """Talks to an engine process and returns what it said; of progress only its form."""
        said: list[str] = []
        with subprocess.Popen(
            [*self._begin, "--worker"], cwd=self._work, env=self._environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=1,
        ) as worker:  # fmt: skip
            assert worker.stdin is not None
            assert worker.stdout is not None
            asked = list(map(_message, TABLES["requests"].strip().splitlines(), range(100, 200)))
            for line in (*TABLES["messages"], "[" * 100_000, *asked):
                worker.stdin.write(line + "\n")
                said.append(f"> {line[:200]}")
                forms: set[str] = set()
                for reply in map(json.loads, worker.stdout):
                    if reply["type"] in ("done", "error"):
                        said += [*sorted(forms), _plain(reply)]
                        break
                    forms.add(_form(reply))
            begun = _message('analyse {"evidence_id": 2, "mode": "fresh"}', 900)
            stopped = _message('cancel {"target": 900}', 901)
            worker.stdin.write(f"{begun}\n{stopped}\n")
            ends: list[dict[str, Any]] = []
            while len(ends) < 2:
                reply = json.loads(worker.stdout.readline())
                ends += [reply] if reply["type"] in ("done", "error") else []
            said += [_plain(one) for one in sorted(ends, key=lambda one: int(one["id"]))]
            worker.stdin.write(_message("shutdown {}", 902) + "\n")
            said += [_plain(json.loads(line)) for line in worker.stdout]
        return "\n".join([*said, f"exit code {worker.returncode}\n"])

    def _case(self, case: Path) -> str:
        """Returns the tables of a case, what is in them, and which files there are."""
        with closing(sqlite3.connect(f"file:{case}/case.sqlite?mode=ro", uri=True)) as opened:
            opened.row_factory = sqlite3.Row
            said = [str(row[0]) for row in opened.execute("SELECT sql FROM sqlite_master")]
            names = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
            for (table,) in opened.execute(names).fetchall():
                rows = list(map(dict, opened.execute(f"SELECT * FROM {table} ORDER BY rowid")))
                if table == "audit":
                    dated = [row for row in rows if row["action"].split(".")[0] in PLAIN["dated"]]
                    self._changes(*(row["content_sha256"] for row in dated))
                    self._changes(*(row["hash"] for row in rows))
                    rows = [row for row in rows if not _dropped(row)]
                lines = [self._steady(_plain(row, None)) for row in rows]
                said.append(f"{table}: {len(lines)} rows, {_sha256(repr(lines).encode())}")
                said += lines[:60]
        files = (str(one.relative_to(case)) for one in sorted(case.rglob("*")))
        said += [name for name in files if not name.endswith(("-wal", "-shm"))]
        return "\n".join(said) + "\n"

    def _file(self, file: Path) -> str:
        """Returns what is in a file: text as it is, arrays and members one by one, else a hash."""
        if file.suffix in PLAIN["endings"] or file.name in PLAIN["names"]:
            self._changes(_sha256(file.read_bytes()))
        if file.suffix == ".npz":
            said = []
            with np.load(file) as arrays:
                for name, one in arrays.items():
                    said.append(f"{name} {one.dtype} {one.shape} {_sha256(one.tobytes())}")
            return "\n".join([*said, _sha256(file.read_bytes())]) + "\n"
        if file.suffix == ".pdf":
            told = ["pdftotext", "-layout", str(file), "-"]
            return subprocess.run(told, capture_output=True, text=True, check=True).stdout
        if file.suffix == ".zip":
            place = Path(tempfile.mkdtemp(dir=self._work))
            with zipfile.ZipFile(file) as packed:
                packed.extractall(place)
                names = packed.namelist()
            return "".join(f"== {name}\n{self._file(place / name)}" for name in names)
        data = file.read_bytes()
        if file.suffix == ".sqlite":
            return "a database\n"
        if file.suffix in PLAIN["texts"] and len(data) < 1 << 20:
            return data.decode()
        return f"{len(data)} bytes, {_sha256(data)}\n"


def _commands(table: str) -> list[str]:
    """Returns the commands of a table, in order."""
    found: list[str] = []
    for line in table.replace("\\\n", "").strip().splitlines():
        begin, _, ends = line.partition(" :")
        for end in ends.split(" |"):
            words = f"{begin} {end.strip()}".strip()
            found += [f"{words[:-1]}--json", words[:-1].strip()] if words[-1:] == "&" else [words]
    return found


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _message(request: str, number: int) -> str:
    """Returns a line of the protocol; a request is its type and its fields in JSON."""
    kind, _, fields = request.partition(" ")
    return json.dumps({"v": 1, "id": number, "type": kind, **json.loads(fields)})


def _plain(value: dict[str, Any], indent: int | None = 1) -> str:
    """Returns JSON without values that differ from run to run."""

    def kept(one: Any) -> Any:
        if isinstance(one, dict):
            beside = (keys for key, keys in PLAIN["beside"].items() if key in one)
            changing = {*PLAIN["keys"], *itertools.chain.from_iterable(beside)}
            pairs = one.items()
            return {key: "<changes>" if key in changing else kept(inner) for key, inner in pairs}
        if isinstance(one, list):
            return [kept(inner) for inner in one if not _dropped(inner)]
        return {"bytes": len(one), "sha256": _sha256(one)} if isinstance(one, bytes) else one

    return json.dumps(kept(value), indent=indent) + ("\n" if indent else "")


def _dropped(one: Any) -> bool:
    return isinstance(one, dict) and one.get("action") in PLAIN["dropped"]


def _form(reply: dict[str, Any]) -> str:
    kinds = {float: "number or none", type(None): "number or none"}
    said = (f"{key} {kinds.get(type(one), type(one).__name__)}" for key, one in reply.items())
    return f"{reply['type']}: {', '.join(said)}"


def _count(case: Path, table: str) -> int:
    """Returns how many rows a table of a case has; 0 where there is no case yet."""
    try:
        with closing(sqlite3.connect(f"file:{case}/case.sqlite?mode=ro", uri=True)) as opened:
            return int(opened.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
    except sqlite3.Error:
        return 0


def _own(case: Path, copy: Path, host: str) -> None:
    """Copies a case and lets a session on a host own it."""
    shutil.copytree(case, copy)
    owner = {"host": host, "process": 1, "start": "", "token": "golden", "user": "ada"}
    (copy / "lock").write_text(json.dumps(owner), encoding="utf-8")


def _tamper(work: Path) -> None:
    """Makes a case of which an event and the last audit entry were changed behind its back."""
    shutil.copytree(work / "fight.case", work / "tampered.case")
    with closing(sqlite3.connect(work / "tampered.case/case.sqlite")) as opened:
        opened.executescript(
            "UPDATE event SET summary = 'nothing' WHERE id = 1; DROP TRIGGER audit_refuses_delete;"
            "DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit);"
        )


def _write_marks(work: Path, found: dict[str, Any]) -> None:
    """Writes files of marks, sound ones from the events found, and bad ones."""
    first = next(one for one in found["events"] if one["trajectories"] and one["evidence_id"] == 1)
    at = {"evidence_id": 1, "time": first["peak_s"], "name": "person fighting", "normal": False}
    mark = at | {"box": first["trajectories"][0]["box_at_peak"]}
    usual = {"time": "00:01", "name": "walker", "normal": True, "box": [60, 40, 50, 90]}
    files = {
        "marks.json": [mark], "normal.json": [at | usual], "shapeless.json": [at],
        "both.json": [mark, mark | {"normal": True}],
        "nan.json": [mark | {"time": float("nan")}],
    }  # fmt: skip
    for name, marks in files.items():
        (work / name).write_text(json.dumps({"marks": marks}), encoding="utf-8")


def _make_material(work: Path, resources: Path) -> None:
    """Makes the folders and files that the commands name."""
    for name in ("out", "home", "tmp", "footage/empty", "beside"):
        (work / name).mkdir(parents=True)
    for name in ("footage/sample.mp4", "beside/sample.mp4"):
        shutil.copyfile(resources / "sample/sample.mp4", work / name)
        os.utime(work / name, (1_700_000_000, 1_700_000_000))
    for name, text in [*TABLES["files"].items(), ("deep.json", "[" * 100_000)]:
        (work / name).write_text(text, encoding="utf-8")
    for name in ("lab", "other", "pickled"):
        shutil.copytree(resources / "packs/compact", work / name)
        said = json.loads((work / name / "pack.json").read_text("utf-8"))
        (work / name / "pack.json").write_text(json.dumps(said | {"name": name}), encoding="utf-8")
    (work / "pickled/weights.pkl").write_bytes(b"\x80\x04N.")
    shutil.make_archive(str(work / "other"), "zip", work, "other")
    broken = work / "home/.local/share/Sightline/packs/broken"
    broken.mkdir(parents=True)
    (broken / "pack.json").write_text('{"name": "broken", "version": NaN}', encoding="utf-8")
    with zipfile.ZipFile(work / "climbing.zip", "w") as packed:
        packed.writestr("../climbed.txt", "out")


def main() -> None:
    """Makes the files for one checkout."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for name in ("checkout", "footage", "to"):
        parser.add_argument(f"--{name}", type=Path, required=True, metavar="DIR")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="Gets the cases.")
    given = parser.parse_args()
    work = Path(tempfile.gettempdir()) / "golden-results"
    golden = Golden(given.checkout.absolute(), given.footage.absolute(), work)
    try:
        golden.everything()
    finally:
        golden.write(given.to)
        for case in work.glob("*.case") if given.keep else ():
            shutil.copytree(case, given.keep / case.name)
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
