"""Cases: a folder with a database whose history cannot be changed silently."""

from engine.case.case import Case, Change, is_case, owner_of
from engine.case.case_copy import copy_case
from engine.case.evidence_guard import refuse_beside_evidence
from engine.case.store.audit import AuditEntry, AuditLog
from engine.case.store.case_lock import TOKEN_VARIABLE, Owner
from engine.case.tables.case_info import CaseDetails
from engine.case.tables.dialogue_rows import (
    CitationRow,
    DialogueRow,
    NewCitation,
    NewDialogue,
    NewTurn,
    TurnRow,
    TurnState,
)
from engine.case.tables.review_rows import (
    BookmarkRow,
    HeatBlock,
    NewBookmark,
    NewNote,
    NewOwnEvent,
    NoteRow,
    TagRow,
    TrajectorySummary,
)
from engine.case.tables.rows import (
    CalibrationRow,
    Chunk,
    ChunkSpan,
    DerivationRow,
    EventRow,
    EventState,
    EvidenceRow,
    ExportRow,
    NewCalibration,
    NewEvidence,
    NewStream,
    RegionRow,
    RunRow,
    RunState,
    StreamRow,
    TrajectoryRow,
)
from engine.case.tables.runs import settings_hash
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
    "CaseDetails",
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
