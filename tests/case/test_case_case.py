"""Making, opening, changing and migrating a case; full disks, locked and read-only databases."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import sqlite_utils
from sqlite_utils.migrations import Migrations

from engine.case import Case, Change, is_case, owner_of, settings_hash, verify
from engine.case.recovery_copies import MAX_COPIES, RECOVERY, copies
from engine.case.store import schema
from engine.case.store.database import DATABASE
from engine.case.store.journal import UnrecordedChangeError
from engine.case.store.migrations import migrations
from engine.core.errors import BadInputError, ResourceError
from tests.case.case_material import SETTINGS, SHA, fill, new_chunk, new_evidence


def sound(case: Case) -> bool:
    return verify(case, hash_evidence=lambda row: row.sha256).ok


def test_everything_is_there_after_reopening(case_folder: Path) -> None:
    assert is_case(case_folder)
    assert {entry.name for entry in case_folder.iterdir()} == {
        DATABASE, "cache", "derived", "recovery",
    }  # fmt: skip
    with Case.open(case_folder) as case:
        (evidence,) = case.evidence.all()
        assert (evidence.name, evidence.sha256, evidence.copied_to) == ("gate.mp4", SHA, None)
        assert case.evidence.streams(1)[0].stream == new_evidence().streams[0]
        run = case.runs.current(evidence.id)
        assert run is not None
        assert run.state == "finished"
        assert run.settings_sha256 == settings_hash(SETTINGS)
        assert run.warnings[0].kind == "made_pts"
        assert case.chunks.read(run.id, "scene", 1) == new_chunk(1)
        assert case.exports.all()[0].kind == "npz"
        assert case.calibrations.of_run(run.id, "scene")[0].calibration.final
        assert not case.writable
        with pytest.raises(ResourceError, match="reading only"), case.change():
            pass
        assert sound(case)


def test_wal_and_foreign_keys_are_on(case_folder: Path) -> None:
    with Case.open(case_folder, write=True) as case:
        assert case.database.row("PRAGMA journal_mode") == {"journal_mode": "wal"}
        assert case.database.row("PRAGMA foreign_keys") == {"foreign_keys": 1}
        with pytest.raises(BadInputError, match="no such evidence"), case.change() as change:
            change.runs.start(77, 0, {}, {})


def test_nothing_is_written_outside_a_change(case_folder: Path) -> None:
    with Case.open(case_folder, write=True) as case:
        with pytest.raises(ResourceError):
            case.database.execute("UPDATE run SET state = 'failed'")
        with pytest.raises(ResourceError):
            case.database.execute("DELETE FROM export")
        assert sound(case)


def without_entry(_: Case, change: Change) -> None:
    change._journal.update("run", 1, {"state": "failed"})


def past_the_journal(case: Case, change: Change) -> None:
    change.exports.add("/out/a.csv", "csv", SHA, 1)
    case.database.execute("UPDATE run SET state = 'failed'")


def with_an_entry_about_something(case: Case, change: Change) -> None:
    case.database.execute("UPDATE run SET state = 'failed'")
    change.record("run.look", "run:1", {})


def test_a_change_without_its_audit_entry_is_not_committed(case_folder: Path) -> None:
    with Case.open(case_folder, write=True) as case:
        before = case.audit.head
        for cheat in (without_entry, past_the_journal, with_an_entry_about_something):
            with pytest.raises(UnrecordedChangeError), case.change() as change:
                cheat(case, change)
        assert case.runs.get(1).state == "finished"
        assert len(case.exports.all()) == 1
        assert case.audit.head == before


def test_every_method_that_changes_rows_records_it(case_folder: Path) -> None:
    with Case.open(case_folder, write=True) as case:
        with case.change() as change:
            change.evidence.relink(1, "/elsewhere/gate.mp4")
            change.evidence.record_mismatch(1, None)
            run_id = change.runs.start(1, 0, SETTINGS, {})
            change.chunks.append(run_id, new_chunk(0))
            change.runs.stop(run_id, "cancelled", analysed_frames=50, wall_s=1.0)
            change.runs.resume(run_id, 50)
        actions = [entry.action for entry in case.audit.entries()][-6:]
        assert actions == [
            "evidence.relink", "evidence.mismatch", "run.start", "chunk.add", "run.cancel",
            "run.resume",
        ]  # fmt: skip
        assert len(case.evidence.mismatches(1)) == 1
        assert case.audit.count == 31
        assert sound(case)


def test_audit_rows_refuse_update_and_delete(case_folder: Path) -> None:
    with closing(sqlite3.connect(case_folder / DATABASE)) as raw:
        for sql in ("UPDATE audit SET actor = 'x'", "DELETE FROM audit", "DELETE FROM audit"):
            with pytest.raises(sqlite3.IntegrityError, match="never"):
                raw.execute(sql)


def test_a_block_that_raises_changes_nothing(case_folder: Path) -> None:
    with Case.open(case_folder, write=True) as case:
        with pytest.raises(BadInputError, match="no such run"), case.change() as change:
            change.runs.stop(
                change.evidence.add(new_evidence("/footage/yard.mp4")) + 5,
                "failed", analysed_frames=0, wall_s=0.0,
            )  # fmt: skip
        assert len(case.evidence.all()) == 1
        with case.change() as change:
            assert change.evidence.add(new_evidence("/footage/yard.mp4")) == 2


def add_chunks(case: Case, run_id: int) -> None:
    for seq in range(200):
        with case.change() as change:
            change.chunks.append(run_id, new_chunk(seq))


def test_a_full_disk_ends_with_what_was_committed(tmp_path: Path) -> None:
    folder = tmp_path / "full.case"
    with Case.create(folder) as case:
        run_id = fill(case)
        with case.change() as change:
            change.runs.start(1, 0, SETTINGS, {})
        pages = case.database.row("PRAGMA page_count")
        assert pages is not None
        case.database.execute(f"PRAGMA max_page_count = {pages['page_count']!s}")
        with pytest.raises(ResourceError, match="disk is full") as caught:
            add_chunks(case, run_id + 1)
        assert caught.value.remedy
        chunk_count = len(case.chunks.spans(run_id + 1, "scene"))
        assert sound(case)
    with Case.open(folder, write=True) as case:
        assert len(case.chunks.spans(run_id + 1, "scene")) == chunk_count
        with case.change() as change:
            change.chunks.append(run_id + 1, new_chunk(chunk_count))
        assert sound(case)


def test_a_database_locked_by_another_program_is_told(case_folder: Path) -> None:
    with (
        Case.open(case_folder, write=True, busy_timeout_s=0) as case,
        closing(sqlite3.connect(case_folder / DATABASE, isolation_level=None)) as raw,
    ):
        raw.execute("BEGIN IMMEDIATE")
        with pytest.raises(ResourceError, match="locked"), case.change():
            pass
        raw.execute("ROLLBACK")
        with case.change() as change:
            change.record("case.look", "case", {})


def test_a_reader_sees_what_a_writer_commits(case_folder: Path) -> None:
    with Case.open(case_folder, write=True) as writer, Case.open(case_folder) as reader:
        assert owner_of(case_folder) is not None
        with writer.change() as change:
            change.evidence.add(new_evidence("/footage/yard.mp4"))
            assert len(reader.evidence.all()) == 1
        assert len(reader.evidence.all()) == 2
    assert owner_of(case_folder) is None


@pytest.mark.parametrize("write", [False, True])
def test_what_is_no_case_is_refused(tmp_path: Path, write: bool) -> None:
    (tmp_path / "file").write_text("text")
    (tmp_path / "empty").mkdir()
    for name, content in (("zero", b""), ("text", b"not a database at all " * 50)):
        (tmp_path / name).mkdir()
        (tmp_path / name / DATABASE).write_bytes(content)
    (tmp_path / "other").mkdir()
    with closing(sqlite3.connect(tmp_path / "other" / DATABASE)) as raw:
        raw.execute("CREATE TABLE a (b)")
    (tmp_path / "folder" / DATABASE).mkdir(parents=True)
    for name in ("missing", "file", "empty", "zero", "text", "other", "folder", "nul\0"):
        with pytest.raises(BadInputError) as caught:
            Case.open(tmp_path / name, write=write)
        assert caught.value.remedy, name


def test_a_case_cut_short_is_damaged_not_a_traceback(case_folder: Path) -> None:
    data = (case_folder / DATABASE).read_bytes()
    (case_folder / DATABASE).write_bytes(data[: len(data) // 3])
    with pytest.raises(BadInputError, match="damaged"), Case.open(case_folder) as case:
        sound(case)


def test_a_case_is_never_made_over_something(case_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "holiday.jpg").write_text("text")
    for path in (case_folder, tmp_path / "file", tmp_path / "full", tmp_path / "file" / "below"):
        with pytest.raises(BadInputError):
            Case.create(path)
    assert not (tmp_path / "full" / DATABASE).exists()
    with Case.open(case_folder, write=True) as case:
        assert sound(case)
    (tmp_path / "new").mkdir()
    with Case.create(tmp_path / "new" / "deep" / "down") as case:
        assert sound(case)


def test_of_several_creators_one_wins(tmp_path: Path) -> None:
    outcomes: list[str] = []
    together = threading.Barrier(4, timeout=60)

    def create() -> None:
        together.wait()
        case = None
        try:
            case = Case.create(tmp_path / "race.case")
            outcomes.append("made")
        except (BadInputError, ResourceError) as error:
            outcomes.append(error.what)
        together.wait()
        if case is not None:
            case.close()

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 4
    assert outcomes.count("made") == 1


def test_a_medium_that_cannot_be_written_opens_for_reading(case_folder: Path) -> None:
    # A folder where SQLite wants its shared memory makes it fail as on a read-only medium.
    (case_folder / f"{DATABASE}-shm").mkdir()
    with Case.open(case_folder) as case:
        assert sound(case)
    with pytest.raises(ResourceError):
        Case.open(case_folder, write=True)


def test_a_read_only_medium_with_an_open_log_is_not_read_half(case_folder: Path) -> None:
    with Case.open(case_folder, write=True) as case:
        with case.change() as change:
            change.record("case.look", "case", {})
        left = case_folder.with_name("left.case")
        left.mkdir()
        for name in (DATABASE, f"{DATABASE}-wal"):
            (left / name).write_bytes((case_folder / name).read_bytes())
    (left / f"{DATABASE}-shm").symlink_to(left / "nowhere" / "at all")
    with pytest.raises(ResourceError, match="not closed"):
        Case.open(left)


def newer_migrations() -> Migrations:
    registered = schema_migrations()

    @registered(name="3_remark")
    def add_remarks(db: sqlite_utils.Database) -> None:
        db.conn.execute("CREATE TABLE remark (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT")
        db.conn.execute("ALTER TABLE event ADD COLUMN colour TEXT")

    return registered


schema_migrations = migrations


def know(patch: pytest.MonkeyPatch, known: Callable[[], Migrations]) -> None:
    patch.setattr("engine.case.store.migrations.migrations", known)
    patch.setattr(schema, "MIGRATION_NAMES", (*schema.MIGRATION_NAMES, "3_remark"))
    patch.setattr(schema, "SCHEMA_SHA256", (*schema.SCHEMA_SHA256, "not computed"))


def test_an_older_case_is_copied_and_migrated(
    case_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Case.open(case_folder) as case:
        before, head = case.audit.count, case.audit.head
    know(monkeypatch, newer_migrations)
    with Case.open(case_folder) as case:
        assert case.database.rows("SELECT * FROM remark") == []
        assert sound(case)
        assert case.audit.head == head
    assert copies(case_folder / RECOVERY) == []
    with Case.open(case_folder, write=True) as case:
        assert case.database.rows("SELECT * FROM remark") == []
        assert case.audit.count == before + 1
        assert sound(case)
    (copy,) = copies(case_folder / RECOVERY)
    with closing(sqlite3.connect(copy)) as raw:
        assert raw.execute("SELECT count(*) FROM audit").fetchone() == (before,)
    with Case.open(case_folder, write=True) as case:
        assert case.audit.count == before + 1


def test_a_migration_that_fails_changes_nothing(
    case_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing() -> Migrations:
        registered = newer_migrations()

        @registered(name="4_breaks")
        def break_it(db: sqlite_utils.Database) -> None:
            db.conn.execute("CREATE TABLE remark (id INTEGER)")

        return registered

    with monkeypatch.context() as patch:
        know(patch, failing)
        with pytest.raises(BadInputError, match="already exists"):
            Case.open(case_folder, write=True)
    assert owner_of(case_folder) is None
    with Case.open(case_folder, write=True) as case:
        assert sound(case)
        assert case.database.row("SELECT 1 FROM sqlite_master WHERE name = 'remark'") is None


@pytest.mark.parametrize("write", [False, True])
def test_a_newer_case_is_refused_and_says_which_version_wrote_it(
    case_folder: Path, monkeypatch: pytest.MonkeyPatch, write: bool
) -> None:
    with monkeypatch.context() as patch:
        know(patch, newer_migrations)
        patch.setattr("engine.case.case_folder.VERSION", "7.8.9")
        Case.open(case_folder, write=True).close()
    with pytest.raises(BadInputError, match=r"newer Sightline \(version 7\.8\.9\)"):
        Case.open(case_folder, write=write)
    assert owner_of(case_folder) is None


def test_dated_copies_are_complete_and_bounded(case_folder: Path) -> None:
    with Case.open(case_folder, write=True) as case:
        for _ in range(MAX_COPIES + 2):
            newest = case.recovery_copy()
        stored = copies(case_folder / RECOVERY)
        assert len(stored) == MAX_COPIES
        assert stored[-1] == newest
        assert [entry.suffix for entry in (case_folder / RECOVERY).iterdir()] == [
            ".sqlite"
        ] * MAX_COPIES
        head = case.audit.head
    (case_folder / DATABASE).write_bytes(newest.read_bytes())
    with Case.open(case_folder) as case:
        assert case.audit.head == head
        assert sound(case)


def test_names_that_are_no_utf8_come_back(case_folder: Path) -> None:
    path = "/footage/caf\udce9 'quoted\" \u202e.mp4"
    with Case.open(case_folder, write=True) as case:
        with case.change() as change:
            evidence_id = change.evidence.add(new_evidence(path))
        assert case.evidence.get(evidence_id).path == path
        assert case.evidence.with_path(path)[0].id == evidence_id
        assert sound(case)
        with pytest.raises(BadInputError, match="cannot be stored"), case.change() as change:
            change.results.set_state(1, "seen", "\ud800")


def test_the_names_of_the_migrations_are_those_that_exist(tmp_path: Path) -> None:
    empty = sqlite_utils.Database(memory=True)
    assert (
        tuple(migration.name for migration in migrations().pending(empty)) == schema.MIGRATION_NAMES
    )
    empty.close()
    with Case.create(tmp_path / "new.case") as case:
        assert schema.applied_count(case.database) == len(schema.MIGRATION_NAMES)
