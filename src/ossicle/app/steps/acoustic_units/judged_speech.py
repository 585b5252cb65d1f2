"""The speech that units are judged on: segments with frames, and the words of the corpus."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ossicle.app.steps.engine.step import Context
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.shards.features import FeaturesFolder
from ossicle.artefacts.typed.units.segments import SegmentsFolder
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.evaluation.units.words import FrameTimes, JudgedSegment, SpokenWords


@dataclass(frozen=True, eq=False)
class JudgedSpeech:
    """Segments with frames, in their order; words and features are read when they are needed.

    Attributes
    ----------
    segments
        A segment without a group is in the group of its recording.
    features
        The artefact with their frames.
    corpus
        The artefact with the words.
    """

    segments: tuple[JudgedSegment, ...]
    features: FeaturesFolder
    corpus: CorpusFolder

    @classmethod
    def of(cls, context: Context) -> "JudgedSpeech":
        """Return the speech of a step that needs ``corpus``, ``segments`` and ``features``."""
        return cls.made_of(context.read(CorpusFolder), context.read(SegmentsFolder), context.read(FeaturesFolder))

    @classmethod
    def made_of(cls, corpus: CorpusFolder, segments: SegmentsFolder, features: FeaturesFolder) -> "JudgedSpeech":
        """Return the speech of the artefacts of a project."""
        table = segments.table()
        featured_segments = set(features.recording_ids)
        judged = tuple(
            JudgedSegment(segment_id, recording_id, group or recording_id, start_s, features.n_windows(segment_id))
            for segment_id, recording_id, group, start_s in table.select(
                "segment_id", "recording_id", "group", "start_s"
            ).iter_rows()
            if segment_id in featured_segments
        )
        return cls(judged, features, corpus)

    @cached_property
    def words(self) -> SpokenWords | None:
        """The words of the corpus; None if it has none."""
        spoken_words = SpokenWords(read_index(self.corpus).annotations)
        return spoken_words if len(spoken_words) else None

    @property
    def times(self) -> FrameTimes:
        """The times of frames."""
        return FrameTimes(self.features.hop_s, self.features.origin_s)

    def frames(self, segment: JudgedSegment) -> NDArray[np.float32]:
        """Return the frames of a segment, float32 (n_frames, dim)."""
        return self.features.windows(segment.segment_id)[:, 0].astype(np.float32)

    @property
    def frames_by_group(self) -> dict[str, int]:
        """Number of frames of each group."""
        frames: dict[str, int] = {}
        for segment in self.segments:
            frames[segment.group] = frames.get(segment.group, 0) + segment.n_frames
        return frames
