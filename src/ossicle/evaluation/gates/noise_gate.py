"""Counts and results of the noise gate: events on sound without targets, in recordings and in probes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.core.columns.annotation_columns import AnnotationColumns
from ossicle.core.decisions.decision import Decision
from ossicle.core.errors import GateRefused
from ossicle.core.records import Annotation
from ossicle.core.settings import digestible
from ossicle.core.tracks import Event
from ossicle.corpus.clips.noise_sampling import free_stretches
from ossicle.evaluation.gates.free_minutes import FreeMinutes
from ossicle.evaluation.ground_truth import Truth, event_times
from ossicle.inference.delivery import Delivery
from ossicle.inference.finder import EventFinder
from ossicle.inference.predictor import Predictor
from ossicle.inference.second_stage.stage import SecondStage
from ossicle.metrics.noise.noise_gate import RECORDINGS, Firing, Judged, NoiseGateSettings, with_rests

EMPTY, BETWEEN = "reviewed empty", "between annotations"
_FEED_S = 10.0
_ADVICE = "Train with such sounds in reviewed-empty recordings or with more crops of noise ([augment] noise_share)"


def firings_on_recordings(
    truth: Truth, events: Mapping[str, Sequence[Event]], annotations: Iterable[Annotation], margin_s: float
) -> list[Firing]:
    """Return how often each label fires on reviewed-empty recordings and between annotations.

    Parameters
    ----------
    truth
        The judged recordings.
    events
        Out-of-fold events by recording; those that touch no annotation of any label count.
    annotations
        All annotations of the corpus, also those of labels that are not judged.
    margin_s
        Distance in seconds from an annotation within which nothing is counted.
    """
    notes = AnnotationColumns.from_annotations(annotations)
    annotated = set(notes.recording_ids)
    events_by_recording = event_times(events)
    firings = []
    for part, ids in (
        (EMPTY, [key for key in truth.ids if key not in annotated]),
        (BETWEEN, [key for key in truth.ids if key in annotated]),
    ):
        recordings = [truth.recordings[key] for key in ids]
        free = {recording.id: free_stretches(recording, notes, margin_s) for recording in recordings}
        minutes = FreeMinutes(free, [recording.duration_s for recording in recordings])
        for label in truth.labels:
            times = {key: events_by_recording[key][label] for key in ids if label in events_by_recording[key]}
            n_events, active_s = minutes.counted(times)
            seconds = float(minutes.seconds.sum())
            firing = Firing(RECORDINGS, part, label, seconds, int(n_events.sum()), float(active_s.sum()))
            firings.append(with_rests(firing, minutes.seconds, n_events, active_s))
    return firings


def firings_on_probe(
    probe: str, part: str, labels: Sequence[str], seconds: float, events: Sequence[Event]
) -> list[Firing]:
    """Return how often each label fires on one part of a probe of ``seconds``, given the events found in it."""
    firings = []
    for label in labels:
        label_events = [event for event in events if event.label == label]
        firings.append(
            Firing(
                probe,
                part,
                label,
                seconds,
                len(label_events),
                sum(event.end_s - event.start_s for event in label_events),
            )
        )
    return firings


def events_in(
    samples: NDArray[np.float32],
    predictor: Predictor,
    decisions: Mapping[str, Decision],
    batch_chunks: int = 8,
    second_stage: SecondStage | None = None,
    delivery: Delivery | None = None,
) -> list[Event]:
    """Return the events in float32 samples (n,) at the plan's rate, through the engine that reads recordings."""
    rate = predictor.plan.rate
    finder = EventFinder(predictor, decisions, batch_chunks, second_stage, delivery)
    events: list[Event] = []
    for block in _blocks(samples, int(_FEED_S * rate)):
        events += finder.feed(block)
    return events + finder.finish(len(samples) / rate)


def excused_probes(likeness: Sequence[Mapping[str, Mapping[str, Any]]]) -> dict[str, list[str]]:
    """Return by label the probes that its own sounds resemble.

    Parameters
    ----------
    likeness
        The content of ``noise_likeness.json`` of the judged model, or of each member of an ensemble; a probe counts if
        the label resembles it in all.

    Returns
    -------
    dict
        Labels that resemble no probe are left out.
    """
    labels = likeness[0] if likeness else {}
    common = {
        label: sorted(set.intersection(*(set(textures.get(label, {}).get("resembles", ())) for textures in likeness)))
        for label in labels
    }
    return {label: probes for label, probes in common.items() if probes}


def noise_gate_figures(
    judged: Sequence[Judged],
    limits: NoiseGateSettings,
    probes_by: str,
    *,
    second_stage: bool,
    resembles: Mapping[str, Sequence[str]] | None = None,
    found_nothing: str = "",
) -> dict[str, Any]:
    """Return the content of ``gate`` in ``metrics.json``; ``probes_by``: what was evaluated on the synthetic probes;
    ``resembles``: by label the probes that its own sounds resemble; ``found_nothing``: that the detector finds none of
    the annotated events, in words.
    """
    refused = found_nothing if not limits.may_find_nothing else ""
    return {
        "passed": not any(judgement.refused for judgement in judged) and not refused,
        "found_nothing": found_nothing,
        "judged_by": {
            "recordings": "out of fold: each by the model that held out its group, decision cross-fitted",
            "synthetic probes": probes_by,
            **({"second stage": "in both: the whole detector is judged"} if second_stage else {}),
        },
        "limits": digestible(limits),
        "resembles": {label: list(probes) for label, probes in sorted((resembles or {}).items())},
        "firings": [judgement.to_json() for judgement in judged],
    }


def worst_refused(gate: Mapping[str, Any]) -> Judged | None:
    """Return the refused firing with the most events per hour; None if the bundle passed.

    ``gate``: the content of ``gate`` in ``metrics.json``.
    """
    refused = [firing for firing in gate["firings"] if firing["refused"]]
    worst = max(refused, key=lambda firing: (firing["per_hour"], firing["active_share"]), default=None)
    return None if worst is None else Judged.from_json(worst)


def refusal_of(gate: Mapping[str, Any], bundle: Path | None, remedy: str = "") -> GateRefused | None:
    """Return the message for a refused bundle, None if it passed the noise gate.

    Parameters
    ----------
    gate
        The content of ``gate`` in ``metrics.json``.
    bundle
        Path of the refused bundle, if there is one.
    remedy
        What mends it, as a main clause; empty for a general advice.
    """
    worst = worst_refused(gate)
    bundle_note = f"; the bundle stays in {bundle}" if bundle is not None else ""
    if worst is None and not gate["passed"]:
        return GateRefused(
            f"the noise gate refused this bundle: {gate['found_nothing']}{bundle_note}. Train longer, look at the "
            "training curves and the health of the recordings; to publish a trial all the same, set [noise_gate] "
            "may_find_nothing = true"
        )
    if worst is None:
        return None
    more, probe = sum(firing["refused"] for firing in gate["firings"]) - 1, worst.firing.probe
    return GateRefused(
        f"the noise gate refused this bundle: label {worst.firing.label!r} {worst.excess}"
        f"{f', and {more} more in report.html' if more else ''}{bundle_note}. "
        f"{remedy or _ADVICE}; if it may fire there, raise "
        f'[noise_gate] {probe}_per_hour (and active_share) or put "{probe}" into [noise_gate] off'
    )


def _blocks(samples: NDArray[np.float32], block_samples: int) -> Iterator[NDArray[np.float32]]:
    for start in range(0, len(samples), block_samples):
        yield samples[start : start + block_samples]
