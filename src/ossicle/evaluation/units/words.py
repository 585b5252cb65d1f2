"""Words with times beside the frames of segments: the word of each frame, and the frames of each word."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.core.columns.annotation_columns import AnnotationColumns

NO_WORD = -1
"""The word of a frame in which nobody speaks."""
NOT_WORDS = frozenset({"", "sil", "<sil>", "[sil]", "silence", "sp", "spn", "<spn>", "pau", "nsn", "#"})
"""Labels of silence and noise in word tables and phone alignments, in small letters; they are no words."""
FEWEST_FRAMES = 5
"""Frames of the shortest word that the ABX test uses: shorter ones have hardly a frame of their own."""


def is_word(label: str) -> bool:
    """Return whether a label is a spoken word, and no silence or noise.

    >>> is_word("kyema"), is_word("SIL")
    (True, False)
    """
    return label.casefold().strip() not in NOT_WORDS


@dataclass(frozen=True, slots=True, eq=False)
class JudgedSegment:
    """A segment whose frames are judged.

    Attributes
    ----------
    segment_id, recording_id, group
        As in the table of segments.
    start_s
        Its start in seconds from the start of the recording.
    n_frames
        Number of frames.
    """

    segment_id: str
    recording_id: str
    group: str
    start_s: float
    n_frames: int


@dataclass(frozen=True, slots=True)
class FrameTimes:
    """The times of frames: frame k of a segment has its centre ``origin_s + k * hop_s`` after the segment's start."""

    hop_s: float
    origin_s: float

    def of(self, segment: JudgedSegment) -> NDArray[np.float64]:
        """Return the centres in seconds from the start of the recording, float64 (n_frames,)."""
        return np.asarray(segment.start_s + self.origin_s + np.arange(segment.n_frames) * self.hop_s, np.float64)


class SpokenWords:
    """The words of a corpus, without silences, by recording.

    Parameters
    ----------
    annotations
        All annotations; those with a label of :data:`NOT_WORDS` are left out.
    """

    def __init__(self, annotations: AnnotationColumns) -> None:
        spoken = np.array([is_word(label) for label in annotations.labels], dtype=np.bool_)
        rows = np.flatnonzero(spoken[annotations.label] & (annotations.end_s > annotations.start_s))
        self._words = annotations.take(rows)
        self.types = self._words.labels
        """Words by their number."""

    def __len__(self) -> int:
        """Return the number of spoken words."""
        return len(self._words)

    def intervals(self, recording_id: str) -> NDArray[np.float64]:
        """Return start and end of the words of a recording in seconds, float64 (n, 2), sorted."""
        columns = self._sorted(recording_id)
        return np.stack([columns.start_s, columns.end_s], axis=1)

    def numbers(self, recording_id: str) -> NDArray[np.int64]:
        """Return the number of each of these words in :attr:`types`, int64 (n,)."""
        return self._sorted(recording_id).label.astype(np.int64)

    def of_frames(self, recording_id: str, times_s: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the word in which the centre of each frame lies.

        Parameters
        ----------
        recording_id
            The recording.
        times_s
            Sorted centres in seconds, shape (n,). A word holds its start and not its end; of two words that overlap,
            the later one counts.

        Returns
        -------
        numpy.ndarray
            int64, shape (n,): numbers of words, :data:`NO_WORD` where there is none.
        """
        intervals, numbers = self.intervals(recording_id), self.numbers(recording_id)
        word_of_frame = np.full(len(times_s), NO_WORD, dtype=np.int64)
        edges = np.searchsorted(times_s, intervals, side="left")
        for (first, end), number in zip(edges.tolist(), numbers.tolist(), strict=True):
            word_of_frame[first:end] = number
        return word_of_frame

    def _sorted(self, recording_id: str) -> AnnotationColumns:
        columns = self._words.of(recording_id)
        return columns.take(np.lexsort((columns.end_s, columns.start_s)))


@dataclass(frozen=True, slots=True, eq=False)
class WordTokens:
    """Spoken words that lie wholly in a segment, as columns.

    Attributes
    ----------
    segment
        Place of the segment in the list that was given, int64 (n,).
    first, end
        Frames of the word: ``first`` to before ``end``, int64 (n,).
    types
        Number of the word, int64 (n,).
    speakers
        Number of the segment's group, int64 (n,).
    groups
        Names of the groups by number, sorted.
    """

    segment: NDArray[np.int64]
    first: NDArray[np.int64]
    end: NDArray[np.int64]
    types: NDArray[np.int64]
    speakers: NDArray[np.int64]
    groups: tuple[str, ...]


def word_tokens(segments: Sequence[JudgedSegment], words: SpokenWords, times: FrameTimes) -> WordTokens:
    """Return the spoken words of at least :data:`FEWEST_FRAMES` frames.

    Parameters
    ----------
    segments
        Segments with a group.
    words
        The words of the corpus.
    times
        The times of frames.
    """
    groups = tuple(sorted({judged_segment.group for judged_segment in segments}))
    numbers = {group: number for number, group in enumerate(groups)}
    rows = [
        (segment_index, first, end, number, numbers[segment.group])
        for segment_index, segment in enumerate(segments)
        for first, end, number in _tokens(segment, words, times)
    ]
    segment_index, first, end, number, speaker = np.array(rows, dtype=np.int64).reshape(-1, 5).T
    return WordTokens(segment_index, first, end, number, speaker, groups)


def _tokens(segment: JudgedSegment, words: SpokenWords, times: FrameTimes) -> Iterator[tuple[int, int, int]]:
    """Yield first frame, end and number of the words in a segment; a word that a cut divides is left out."""
    centres = times.of(segment)
    if not len(centres):
        return
    intervals = words.intervals(segment.recording_id)
    whole = (intervals[:, 0] >= segment.start_s - times.hop_s / 2) & (
        intervals[:, 1] <= centres[-1] + times.origin_s + times.hop_s
    )
    edges = np.searchsorted(centres, intervals, side="left")
    long = whole & (edges[:, 1] - edges[:, 0] >= FEWEST_FRAMES)
    yield from zip(
        edges[long, 0].tolist(),
        edges[long, 1].tolist(),
        words.numbers(segment.recording_id)[long].tolist(),
        strict=True,
    )
