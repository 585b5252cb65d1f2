"""Tables of states, and of scores, in JSON, CSV and Parquet, each file whole or absent.

``states`` has a row for each stretch in which a label keeps its state; ``files`` a row for each recording with its
states and its overall status for most of the time; ``scores`` a row for each full window. JSON holds everything in one
file.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from ossicle.app.api.states.state_prediction import StatePrediction
from ossicle.artefacts.files import FileWriting, whole_file, write_json
from ossicle.artefacts.tables import write_csv, write_table
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.inference.states.frames import first_full_frame, frame_centre_s, n_full_frames

STATE_FORMATS = ("json", "csv", "parquet")
STATES, FILES, SCORES = "states", "files", "scores"

_STRETCHES = {
    "recording": pl.String,
    "start_s": pl.Float64,
    "end_s": pl.Float64,
    "label": pl.String,
    "state": pl.String,
    "score": pl.Float64,
}
_OF_FILE = ("path", "state", "reading", "reason", "end_s")


def write_states(
    out: Path, done: Sequence[StatePrediction], formats: Sequence[str], writing: FileWriting = whole_file
) -> list[Path]:
    """Write the states of recordings to a folder and return the files; recordings that were left out have no rows in
    ``states``. ``writing`` gives each file a name to write to.
    """
    written = []
    if "json" in formats:
        written.append(out / f"{STATES}.json")
        with writing(written[-1]) as part:
            write_json(part, {"recordings": [recording_json(prediction) for prediction in done]})
    tables = {STATES: (stretch_table(done), ["recording", "label", "start_s"]), FILES: (file_table(done), ["path"])}
    return written + _write_tables(out, tables, formats, writing)


def write_state_scores(
    out: Path,
    done: Sequence[StatePrediction],
    plan: ChunkPlan,
    formats: Sequence[str],
    writing: FileWriting = whole_file,
) -> list[Path]:
    """Write the scores of recordings to a folder and return the files: those of full windows, timed in their middle.

    ``writing`` gives each file a name to write to.
    """
    frames = [score_table(prediction, plan) for prediction in done if prediction.scores is not None]
    table = pl.concat(frames) if frames else pl.DataFrame(schema={"recording": pl.String, "time_s": pl.Float64})
    written = []
    if "json" in formats:
        written.append(out / f"{SCORES}.json")
        columns: dict[str, Any] = {
            str(key[0]): part.drop("recording").to_dict(as_series=False)
            for key, part in table.group_by(["recording"], maintain_order=True)
        }
        with writing(written[-1]) as part:
            write_json(part, {"recordings": columns})
    return written + _write_tables(out, {SCORES: (table, ["recording", "time_s"])}, formats, writing)


def stretch_table(done: Sequence[StatePrediction]) -> pl.DataFrame:
    """Return a row for each stretch, by recording, label and time."""
    rows = [
        (prediction.name, part.start_s, part.end_s, part.label, part.state, part.score)
        for prediction in done
        if prediction.status != "left_out"
        for part in prediction.stretches
    ]
    return pl.DataFrame(rows, schema=_STRETCHES, orient="row")


def file_table(done: Sequence[StatePrediction]) -> pl.DataFrame:
    """Return a row for each recording: how it was read, each label's state for most of the time, and the status."""
    rows = []
    for prediction in done:
        fixed = {
            "path": prediction.name,
            "state": prediction.overall,
            "reading": prediction.status,
            "reason": prediction.reason,
            "end_s": prediction.end_s,
        }
        # A label that is called like a fixed column is in ``states`` only.
        rows.append({label: state for label, state in prediction.states.items() if label not in _OF_FILE} | fixed)
    first = ["path", *(name for name in (rows[0] if rows else {}) if name not in _OF_FILE)]
    return pl.DataFrame(rows).select([*first, *_OF_FILE[1:]]) if rows else pl.DataFrame()


def score_table(prediction: StatePrediction, plan: ChunkPlan) -> pl.DataFrame:
    """Return a row for each full window of a recording: name, time of its middle, and a column for each label."""
    track = prediction.scores
    if track is None:
        return pl.DataFrame()
    frames = range(
        first_full_frame(plan), min(len(track.scores), n_full_frames(plan, round(prediction.end_s * plan.rate)))
    )
    scores = track.scores[frames.start : frames.stop].astype(float)
    columns: dict[str, Any] = {
        "recording": pl.Series([prediction.name] * len(frames), dtype=pl.String),
        "time_s": pl.Series([frame_centre_s(plan, frame) for frame in frames], dtype=pl.Float64),
    }
    return pl.DataFrame(columns | {label: scores[:, c] for c, label in enumerate(track.labels) if label not in columns})


def recording_json(prediction: StatePrediction) -> dict[str, Any]:
    """Return what was found in a recording as plain values."""
    return {
        "recording": prediction.name,
        "status": prediction.status,
        "reason": prediction.reason,
        "read_to_s": round(prediction.end_s, 6),
        "state": prediction.overall,
        "states": prediction.states,
        "stretches": [
            {
                "start_s": round(part.start_s, 6),
                "end_s": round(part.end_s, 6),
                "label": part.label,
                "state": part.state,
                "score": None if part.score is None else round(part.score, 6),
            }
            for part in (prediction.stretches if prediction.status != "left_out" else ())
        ],
        "channels_cancel": prediction.channels_cancel_db,
    }


def _write_tables(
    out: Path,
    tables: Mapping[str, tuple[pl.DataFrame, list[str]]],
    formats: Sequence[str],
    writing: FileWriting,
) -> list[Path]:
    written = []
    for name, (table, keys) in tables.items():
        if "csv" in formats:
            written.append(out / f"{name}.csv")
            with writing(written[-1]) as part:
                write_csv(part, table)
        if "parquet" in formats:
            written.append(out / f"{name}.parquet")
            with writing(written[-1]) as part:
                write_table(part, table, keys)
    return written
