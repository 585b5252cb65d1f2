"""Step ``candidates``: find events for review, in recordings that were annotated and in those that were not.

This is not part of a run: ``ossicle review export`` runs it. For recordings annotated as a whole, the out-of-fold
scores are read, under the decision of their fold. The bundle scores the others, which it never saw as a whole.
Candidates are the events, and those that a lower threshold would find.
"""

import time
from collections.abc import Mapping
from dataclasses import asdict

from ossicle.app.project.load import Project
from ossicle.app.steps.engine.encoders import any_encoder_of_spec, open_any_encoder
from ossicle.app.steps.engine.fingerprint_keys import postprocess_key
from ossicle.app.steps.engine.step import Context, Step
from ossicle.artefacts.array_files.blocks import TrackWriter
from ossicle.artefacts.typed.candidates import CandidatesFolder
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.events import DecisionFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.results.released import BundleFolder
from ossicle.artefacts.typed.scores import ScoresFolder
from ossicle.bundle.entries.encoder import ENCODER_FILES
from ossicle.bundle.format import read_bundle
from ossicle.bundle.manifest import Bundle
from ossicle.bundle.runtimes.bundled_encoded import bundled_encoded_predictor
from ossicle.bundle.runtimes.onnx_runtime import OnnxPredictor
from ossicle.core.decisions.decision import Decision
from ossicle.core.errors import AudioError
from ossicle.core.intervals import as_intervals, meets_any, union
from ossicle.core.records import by_label
from ossicle.core.scores.pooling import as_judged
from ossicle.core.tracks import ScoreTrack
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.corpus.review.selection import Candidate
from ossicle.evaluation.ground_truth import read_tracks, read_truth
from ossicle.inference.batch import write_scores
from ossicle.inference.decisions.decide import decide
from ossicle.inference.postprocess import postprocessed
from ossicle.inference.predictor import Predictor
from ossicle.inference.second_stage.candidates import lowered

STEP_VERSION = 1
LOWER = 0.5
"""Candidates reach this share of their label's threshold."""


def run(context: Context) -> None:
    """Write candidates, skipped recordings, and the score tracks of recordings without annotations."""
    truth = read_truth(context.read(CorpusFolder), context.read(DatasetFolder))
    decisions, output = context.read(DecisionFolder).decisions, context.own(CandidatesFolder)
    candidates: list[Candidate] = []
    pool = context.project.settings.evaluation.applied_pool
    for key in truth.ids:
        track = read_tracks(context.read(ScoresFolder), (key,), context.project.settings.postprocess)[key]
        candidates += candidates_in(key, as_judged(track, pool), decisions[truth.folds[key]])
    left_out: dict[str, str] = {}
    bundle = read_bundle(context.read(BundleFolder).bundle)
    predictor = _predictor(context.project, bundle)
    others = [recording for recording in read_index(context.read(CorpusFolder)).recordings if not recording.reviewed]
    for done, recording in enumerate(others, start=1):
        began, path = time.monotonic(), output.track_path(recording.id)
        record = context.journal.done(recording.id)
        reused = record is not None and record["digest"] == output.track_digest(recording.id)
        try:
            if not reused:
                with TrackWriter(path, bundle.labels, bundle.plan.hop_s) as writer:
                    write_scores(context.project.roots.file(recording), predictor, writer)
                context.journal.mark(recording.id, digest=output.track_digest(recording.id))
            track = as_judged(postprocessed(output.track(recording.id), bundle.postprocess), pool)
            candidates += candidates_in(recording.id, track, bundle.decisions)
        except AudioError as problem:
            left_out[recording.path] = str(problem)
        context.log.work_unit("candidates", recording.id, "reused" if reused else "computed", time.monotonic() - began)
        context.progress.advance(done, len(others), "recordings nobody annotated")
    output.write_table(asdict(candidate) for candidate in candidates)
    output.write_left_out(left_out)


def _predictor(project: Project, bundle: Bundle) -> Predictor:
    """Open the bundle of a project: a network by itself, a head with the encoder of the bundle or of the project."""
    if bundle.encoder is None:
        return OnnxPredictor(bundle)
    file = ENCODER_FILES.get(bundle.encoder.name, "")
    encoder = (
        any_encoder_of_spec(bundle.encoder, bundle.checked_path(file))
        if file in bundle.files
        else open_any_encoder(project.settings.encoder, project.folder)
    )
    return bundled_encoded_predictor(bundle, encoder, 1)


def candidates_in(recording_id: str, track: ScoreTrack, decisions: Mapping[str, Decision]) -> list[Candidate]:
    """Return the events of a track as candidates for review.

    Further candidates are the events at thresholds multiplied by :data:`LOWER` that overlap no event of their label.
    """
    events = decide(track, decisions)
    candidates = [
        Candidate(recording_id, event.start_s, event.end_s, event.label, event.score, decisions[event.label].on, True)
        for event in events
    ]
    detected = by_label(events)
    for label, lower in by_label(decide(track, lowered(decisions, LOWER))).items():
        times = union(as_intervals([(event.start_s, event.end_s) for event in detected.get(label, ())]))
        beside = ~meets_any(as_intervals([(event.start_s, event.end_s) for event in lower]), times)
        candidates += [
            Candidate(recording_id, event.start_s, event.end_s, label, event.score, decisions[label].on, False)
            for event, alone in zip(lower, beside.tolist(), strict=True)
            if alone
        ]
    return candidates


def read_candidates(candidates: CandidatesFolder) -> list[Candidate]:
    """Return the candidates of the artefact ``candidates``."""
    return [Candidate(**row) for row in candidates.table.iter_rows(named=True)]


STEP = Step(
    name=CandidatesFolder.step,
    version=STEP_VERSION,
    needs=("corpus", "dataset", "scores", "decision", "bundle"),
    settings=lambda project: {"lower": LOWER, **postprocess_key(project)},
    run=run,
)
