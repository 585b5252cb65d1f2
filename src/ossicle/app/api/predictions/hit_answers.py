"""One answer for each recording of one hit: the label of the window in which its sound begins, as hits are judged."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ossicle.audio.decoding.first_sound import first_sound_s
from ossicle.audio.decoding.mono import MonoStream
from ossicle.bundle.manifest import Bundle
from ossicle.core.errors import AudioError, UsageError
from ossicle.core.time import to_samples
from ossicle.corpus.formats.cells.delimited import escape_cell, write_delimited
from ossicle.corpus.indexing.recording_labels import label_start_s
from ossicle.inference.predictor import Predictor, for_recording
from ossicle.inference.stretches import score_stretches

HITS = "hits"
FILE = "hits.csv"
_COLUMNS = ("recording", "start_s", "label", "score", "second", "second_score")


@dataclass(frozen=True, slots=True)
class HitAnswer:
    """The answer to one recording.

    Attributes
    ----------
    recording
        Its name.
    start_s
        Where the window begins; None if the recording holds no sound or cannot be read.
    labels, scores
        All labels with the probability of each, the highest first; empty if there is no answer.
    """

    recording: str
    start_s: float | None = None
    labels: tuple[str, ...] = ()
    scores: tuple[float, ...] = ()

    @property
    def label(self) -> str:
        """The label with the highest score; empty without an answer."""
        return self.labels[0] if self.labels else ""

    def in_words(self) -> str:
        """Return the answer with its probability, ``-`` without one."""
        return f"{self.label} {self.scores[0]:.2f}" if self.labels else "-"


def gives_answers(bundle: Bundle) -> bool:
    """Return whether a bundle chooses one label for each hit: it was judged so, and its scores sum to 1."""
    window, judged = bundle.model.get("window"), bundle.metrics.get("out_of_fold")
    softmax = isinstance(window, dict) and window.get("scores") == "softmax"
    return softmax and bundle.model.get("name") == "window" and isinstance(judged, dict) and "clips" in judged


def require_answers(bundle: Bundle) -> None:
    """Raise UsageError for a bundle that does not choose one label for each hit."""
    if not gives_answers(bundle):
        raise UsageError(
            f"--format {HITS}: this bundle does not choose one label for each recording of one hit, as those of "
            "ossicle new drums on folders of hits do; leave it out"
        )


def answer_of(name: str, path: Path, predictor: Predictor) -> HitAnswer:
    """Return the answer to a recording: that of the window where its sound begins.

    Parameters
    ----------
    name
        What to call the recording.
    path
        The file.
    predictor
        The model.
    """
    plan = predictor.plan
    try:
        sound_s = first_sound_s(path, plan.channel)
        if sound_s is None:
            return HitAnswer(name)
        start_s = label_start_s(sound_s)
        starts = np.array([to_samples(start_s, plan.rate)], dtype=np.int64)
        lengths = np.array([plan.window_samples], dtype=np.int64)
        stream = MonoStream(path, plan.rate, channel=plan.channel)
        (scores,) = score_stretches(stream, for_recording(predictor), starts, lengths)
    except AudioError:
        return HitAnswer(name)
    if not scores.any():
        return HitAnswer(name)
    order = np.argsort(-scores, kind="stable")
    return HitAnswer(
        name,
        start_s,
        tuple(predictor.labels[column] for column in order),
        tuple(float(scores[column]) for column in order),
    )


def write_answers(path: Path, answers: Sequence[HitAnswer]) -> None:
    """Write the answers as a table with the two likeliest labels of each recording."""
    rows = []
    for answer in answers:
        best = [cell for pair in zip(answer.labels[:2], answer.scores[:2], strict=True) for cell in pair]
        cells = [escape_cell(cell) if isinstance(cell, str) else f"{cell:.6f}" for cell in best]
        start = "" if answer.start_s is None else f"{answer.start_s:.3f}"
        rows.append([escape_cell(answer.recording), start, *cells, *[""] * (4 - len(cells))])
    write_delimited(path, _COLUMNS, rows)
