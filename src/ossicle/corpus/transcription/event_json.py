"""Write the events of one recording as JSON: for programs that read onsets."""

from collections.abc import Sequence
from pathlib import Path

from ossicle.artefacts.files import write_json
from ossicle.corpus.formats.cells.rows import RawSelection

_DECIMALS = 6


def write_event_json(path: Path, recording: str, duration_s: float, rows: Sequence[RawSelection]) -> None:
    """Write ``{"recording", "duration_s", "events": [{"start_s", "end_s", "label", "score"}]}``, in order of time.

    Parameters
    ----------
    path
        The file, whole or absent.
    recording
        Name of the recording.
    duration_s
        Seconds of it that were read.
    rows
        Its events; with criterion ``onsets`` the start of each is the onset.
    """
    events = [
        {
            "start_s": round(row.start_s, _DECIMALS),
            "end_s": round(row.end_s, _DECIMALS),
            "label": row.label,
            "score": None if row.confidence is None else round(row.confidence, _DECIMALS),
        }
        for row in rows
    ]
    write_json(path, {"recording": recording, "duration_s": round(duration_s, _DECIMALS), "events": events})
