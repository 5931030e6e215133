"""Cases: a folder with a database whose history cannot be changed silently."""

from engine.cases.audit import AuditEntry, AuditLog
from engine.cases.case import Case, Change, is_case, owner_of
from engine.cases.copying import copy_case
from engine.cases.details import CaseDetails
from engine.cases.dialogue_rows import (
    CitationRow,
    DialogueRow,
    NewCitation,
    NewDialogue,
    NewTurn,
    TurnRow,
    TurnState,
)
from engine.cases.guard import refuse_beside_evidence
from engine.cases.lock import TOKEN_VARIABLE, Owner
from engine.cases.review_rows import (
    BookmarkRow,
    HeatBlock,
    NewBookmark,
    NewNote,
    NewOwnEvent,
    NoteRow,
    TagRow,
    TrajectorySummary,
)
from engine.cases.rows import (
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
from engine.cases.runs import settings_hash
from engine.cases.variants import NewVariant, VariantRow, check_variant_name
from engine.cases.verify import BadRecord, EvidenceCheck, Verification, is_head, verify

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
