import numpy as np
import pytest

from ossicle.core.columns.annotation_columns import AnnotationColumns
from ossicle.core.records import Annotation
from ossicle.evaluation.units.words import FrameTimes, JudgedSegment, SpokenWords, word_tokens

TIMES = FrameTimes(hop_s=0.02, origin_s=0.0125)


def words(*of, recording_id="a"):
    return SpokenWords(AnnotationColumns.from_annotations([Annotation(recording_id, *one) for one in of]))


def segment(start_s=0.0, n_frames=50, recording_id="a", group="ada"):
    return JudgedSegment(f"{recording_id}#{start_s}", recording_id, group, start_s, n_frames)


def test_a_frame_has_the_word_in_which_its_centre_lies():
    spoken = words((0.0, 0.0125, "early"), (0.0125, 0.0525, "dog"), (0.0525, 0.0725, "cat"))
    of_frames = spoken.of_frames("a", TIMES.of(segment(n_frames=5)))  # centres at 12.5, 32.5, 52.5, 72.5 and 92.5 ms
    assert [spoken.types[frame] if frame >= 0 else "" for frame in of_frames] == ["dog", "dog", "cat", "", ""]


def test_frames_are_counted_from_the_start_of_the_recording():
    spoken = words((10.0, 10.1, "late"))
    assert (spoken.of_frames("a", TIMES.of(segment(9.98, 10))) == [-1, 0, 0, 0, 0, 0, -1, -1, -1, -1]).all()


@pytest.mark.parametrize("silence", ["SIL", "sil", "<sil>", "SPN", " pau "])
def test_silences_are_no_words(silence):
    spoken = words((0.0, 1.0, silence), (1.0, 2.0, "dog"))
    assert (len(spoken), spoken.intervals("a").tolist()) == (1, [[1.0, 2.0]])


def test_a_recording_without_words_has_none():
    spoken = words((0.0, 1.0, "dog"))
    assert spoken.intervals("other").shape == (0, 2)
    assert (spoken.of_frames("other", TIMES.of(segment(recording_id="other"))) == -1).all()


def test_tokens_are_the_long_words_that_no_cut_divides():
    spoken = words((0.0, 0.2, "whole"), (0.2, 0.25, "short"), (0.9, 1.1, "cut"), (1.2, 1.4, "second"))
    parts = [segment(0.0, 49), segment(1.0, 49, group="bob")]
    tokens = word_tokens(parts, spoken, TIMES)
    assert [spoken.types[one] for one in tokens.types] == ["whole", "second"]
    assert [*zip(tokens.segment, tokens.first, tokens.end, strict=True)] == [(0, 0, 10), (1, 10, 20)]
    assert [tokens.groups[speaker] for speaker in tokens.speakers] == ["ada", "bob"]


def test_no_segments_have_no_tokens():
    assert len(word_tokens([], words(), TIMES).types) == 0
    assert np.array_equal(word_tokens([segment(n_frames=0)], words((0.0, 1.0, "dog")), TIMES).types, [])
