"""Step ``candidates``: what a person may be asked about, found in recordings that nobody annotated and in those judged.

No part of a run: ``ossicle review export`` asks for it. Where a recording was annotated as a whole, its out-of-fold
scores are read, under the decision of its fold; the others are scored by the bundle, which never saw them as a whole.
Beside events there are those that a lower threshold would find.
"""

import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import polars as pl

from ossicle.app.steps.engine.fingerprint_keys import postprocess_key
from ossicle.app.steps.engine.step import Context, Step
from ossicle.app.steps.release.bundle import FOLDER
from ossicle.artefacts.blocks import TrackWriter, read_track, track_files
from ossicle.artefacts.files import file_digest, read_json, write_json
from ossicle.artefacts.tables import read_table, write_table
from ossicle.bundle.format import read_bundle
from ossicle.bundle.onnx_runtime import OnnxPredictor
from ossicle.core.decision import Decision
from ossicle.core.digest import digest
from ossicle.core.errors import AudioError
from ossicle.core.intervals import as_intervals, overlap
from ossicle.core.pooling import as_judged
from ossicle.core.tracks import ScoreTrack
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.corpus.review.selection import Candidate
from ossicle.evaluation.criteria.table import criterion_of
from ossicle.evaluation.ground_truth import read_tracks, read_truth
from ossicle.inference.batch import write_scores
from ossicle.inference.decisions.decide import decide
from ossicle.inference.postprocess import postprocessed
from ossicle.inference.second_stage.candidates import lowered
from ossicle.inference.track_files import track_path

STEP_VERSION = 1
TABLE = "candidates.parquet"
LOWER = 0.5
"""Candidates reach this share of their label's threshold."""
_SCHEMA = {
    "recording_id": pl.String,
    "start_s": pl.Float64,
    "end_s": pl.Float64,
    "label": pl.String,
    "score": pl.Float64,
    "on": pl.Float64,
    "decided": pl.Boolean,
}


def run(context: Context) -> None:
    """Write ``candidates`` and ``left_out.json``, and beside them the score tracks of recordings nobody annotated."""
    truth = read_truth(context.inputs["corpus"], context.inputs["dataset"])
    per_fold = read_json(context.inputs["decision"] / "decision.json")["per_fold"]
    decisions = {fold: {label: Decision(**values) for label, values in of.items()} for fold, of in per_fold.items()}
    found: list[Candidate] = []
    pool = criterion_of(context.project.settings.evaluation).pool
    for key in truth.ids:
        track = read_tracks(context.inputs["scores"], (key,), context.project.settings.postprocess)[key]
        found += candidates_in(key, as_judged(track, pool), decisions[str(truth.folds[key])])
    left_out: dict[str, str] = {}
    bundle = read_bundle(context.inputs["bundle"] / FOLDER)
    predictor = OnnxPredictor(bundle)
    others = [one for one in read_index(context.inputs["corpus"]).recordings if not one.reviewed]
    for done, one in enumerate(others, start=1):
        began, path = time.monotonic(), track_path(context.out, one.id)
        record = context.journal.done(one.id)
        reused = record is not None and record["digest"] == _digest(path)
        try:
            if not reused:
                with TrackWriter(path, bundle.labels, bundle.plan.hop_s) as writer:
                    write_scores(context.project.audio_folder / one.path, predictor, writer)
                context.journal.mark(one.id, digest=_digest(path))
            track = as_judged(postprocessed(read_track(path), bundle.postprocess), pool)
            found += candidates_in(one.id, track, bundle.decisions)
        except AudioError as problem:
            left_out[one.path] = str(problem)
        context.log.work_unit("candidates", one.id, "reused" if reused else "computed", time.monotonic() - began)
        context.progress.advance(done, len(others), "recordings nobody annotated")
    rows = [asdict(one) for one in found]
    write_table(context.out / TABLE, pl.DataFrame(rows, schema=_SCHEMA), ["recording_id", "start_s", "end_s", "label"])
    write_json(context.out / "left_out.json", left_out)


def candidates_in(recording_id: str, track: ScoreTrack, decisions: Mapping[str, Decision]) -> list[Candidate]:
    """The events of a track, and what a threshold lower by :data:`LOWER` finds where there is no event."""
    events = decide(track, decisions)
    out = [
        Candidate(recording_id, one.start_s, one.end_s, one.label, one.score, decisions[one.label].on, True)
        for one in events
    ]
    for one in decide(track, lowered(decisions, LOWER)):
        same = as_intervals([(other.start_s, other.end_s) for other in events if other.label == one.label])
        if not overlap(as_intervals([(one.start_s, one.end_s)]), same).any():
            out.append(
                Candidate(recording_id, one.start_s, one.end_s, one.label, one.score, decisions[one.label].on, False)
            )
    return out


def read_candidates(candidates: Path) -> list[Candidate]:
    """The candidates of the artefact ``candidates``."""
    return [Candidate(**row) for row in read_table(candidates / TABLE, _SCHEMA).iter_rows(named=True)]


def _digest(track: Path) -> str:
    files = track_files(track)
    return digest([file_digest(file) for file in files]) if all(file.exists() for file in files) else ""


STEP = Step(
    name="candidates",
    version=STEP_VERSION,
    needs=("corpus", "dataset", "scores", "decision", "bundle"),
    settings=lambda project: {"lower": LOWER, **postprocess_key(project)},
    run=run,
)
