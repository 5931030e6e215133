"""Cases: a folder with a database whose history cannot be changed silently."""

from engine.case.case import Case, Change, is_case, owner_of
from engine.case.case_copy import copy_case
from engine.case.evidence_guard import refuse_beside_evidence
from engine.case.store.audit import AuditEntry, AuditLog
from engine.case.store.case_lock import TOKEN_VARIABLE, Owner
from engine.case.tables.bookmarks import BookmarkRow, NewBookmark
from engine.case.tables.calibrations import CalibrationRow, NewCalibration
from engine.case.tables.case_info import CaseInfo
from engine.case.tables.chunks import Chunk, ChunkSpan
from engine.case.tables.dialogues import (
    CitationRow,
    DialogueRow,
    NewCitation,
    NewDialogue,
    NewTurn,
    TurnAnswer,
    TurnRow,
    TurnState,
)
from engine.case.tables.evidence import EvidenceRow, NewEvidence, NewStream, StreamRow
from engine.case.tables.exports import ExportRow
from engine.case.tables.notes import NewNote, NoteRow
from engine.case.tables.own_events import NewOwnEvent
from engine.case.tables.results.derivations import DerivationRow
from engine.case.tables.results.stored_events import EventRow, EventState
from engine.case.tables.results.stored_heatmaps import HeatBlock
from engine.case.tables.results.stored_regions import RegionRow
from engine.case.tables.results.stored_trajectories import TrajectoryRow, TrajectorySummary
from engine.case.tables.runs import RunRow, RunState, settings_hash
from engine.case.tables.tags import TagRow
from engine.case.tables.variants import NewVariant, VariantRow, check_variant_name
from engine.case.verification import BadRecord, EvidenceCheck, Verification, is_head, verify

__all__ = [
    "TOKEN_VARIABLE",
    "AuditEntry",
    "AuditLog",
    "BadRecord",
    "BookmarkRow",
    "CalibrationRow",
    "Case",
    "CaseInfo",
    "Change",
    "Chunk",
    "ChunkSpan",
    "CitationRow",
    "DerivationRow",
    "DialogueRow",
    "EventRow",
    "EventState",
    "EvidenceCheck",
    "EvidenceRow",
    "ExportRow",
    "HeatBlock",
    "NewBookmark",
    "NewCalibration",
    "NewCitation",
    "NewDialogue",
    "NewEvidence",
    "NewNote",
    "NewOwnEvent",
    "NewStream",
    "NewTurn",
    "NewVariant",
    "NoteRow",
    "Owner",
    "RegionRow",
    "RunRow",
    "RunState",
    "StreamRow",
    "TagRow",
    "TrajectoryRow",
    "TrajectorySummary",
    "TurnAnswer",
    "TurnRow",
    "TurnState",
    "VariantRow",
    "Verification",
    "check_variant_name",
    "copy_case",
    "is_case",
    "is_head",
    "owner_of",
    "refuse_beside_evidence",
    "settings_hash",
    "verify",
]
