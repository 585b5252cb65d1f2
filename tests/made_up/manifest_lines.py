"""Lines of a manifest for tests."""

import json
from pathlib import Path
from typing import Any


def line(label: str = "kick", **changed: Any) -> str:
    """Return the line of an event with one component, with some fields ``changed``; None removes a field."""
    event: dict[str, Any] = {
        "event_id": "e1",
        "session_id": "s1",
        "source_set": "groove",
        "audio_path": "s1/mix.wav",
        "onset_time": 1.25,
        "components": [{"label": label, "velocity": 0.5}],
        "context_ms": {"pre": 80, "post": 200},
    }
    return json.dumps({key: value for key, value in (event | changed).items() if value is not None})


def write(folder: Path, *lines: str, end: str = "\n") -> Path:
    """Write lines to ``folder/events.jsonl``, each with a line end."""
    path = folder / "events.jsonl"
    path.write_bytes("".join(one + end for one in lines).encode())
    return path
