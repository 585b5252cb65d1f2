"""Examples of held-out clips with a wrong answer, the most confident first."""

import numpy as np

from ossicle.audio.decoding.mono import load_mono
from ossicle.evaluation.clips.judged_clips import JudgedClips
from ossicle.evaluation.criteria.criterion import ExampleRequest
from ossicle.evaluation.examples.example import Example
from ossicle.evaluation.ground_truth import Truth
from ossicle.metrics.clip_answers.answers import probabilities

_TOP = 3
MOST_S = 2.0
"""Of longer clips the first seconds are shown."""


def clip_examples(judged: JudgedClips, truth: Truth, request: ExampleRequest) -> list[Example]:
    """Return at most ``request.count`` clips with a wrong answer; the name of each has its three highest labels.

    Parameters
    ----------
    judged
        The clips with their scores.
    truth
        The recordings with their annotations.
    request
        Number of examples, sample rate, margin and channel.
    """
    answers, clips = judged.answers, judged.clips
    wrong = np.flatnonzero(answers.truth != answers.answer)
    order = wrong[np.lexsort((wrong, -answers.confidence[wrong]))][: request.count]
    return [_example(judged, truth, request, row) for row in order.tolist()] if len(clips) else []


def _example(judged: JudgedClips, truth: Truth, request: ExampleRequest, row: int) -> Example:
    clips, answers = judged.clips, judged.answers
    key = clips.recording_ids[int(clips.recording[row])]
    recording = truth.recordings[key]
    chances = probabilities(judged.scores[row : row + 1], judged.known[row : row + 1])[0]
    top = [f"{clips.labels[c]} {chances[c]:.2f}" for c in np.argsort(-chances, kind="stable")[:_TOP].tolist()]
    label, answer = clips.labels[int(clips.label[row])], clips.labels[int(answers.answer[row])]
    start_s = float(clips.start_s[row])
    end_s = min(float(clips.end_s[row]), start_s + MOST_S)
    first_s, last_s = max(start_s - request.margin_s, 0.0), min(end_s + request.margin_s, recording.duration_s)
    file = request.roots.file(recording)
    return Example(
        kind="confused",
        recording=recording.path,
        label=f"{label} taken for {answer} ({', '.join(top)})",
        start_s=start_s,
        end_s=end_s,
        score=float(answers.confidence[row]),
        iou=None,
        samples=load_mono(file, request.rate, first_s, last_s - first_s, channel=request.channel),
        rate=request.rate,
        window_start_s=first_s,
        references=[
            (max(note.start_s, first_s), min(note.end_s, last_s), note.label)
            for note in truth.notes_between(key, first_s, last_s)
        ],
        predictions=[(start_s, end_s, answer, float(answers.confidence[row]))],
    )
