import numpy as np
from tests.evaluation.units.spoken import TIMES, speech

from ossicle.core.columns.annotation_columns import AnnotationColumns
from ossicle.evaluation.units import abx_figures as module
from ossicle.evaluation.units.abx_figures import ACROSS, WITHIN, abx_figures
from ossicle.evaluation.units.unit_figures import Resampling
from ossicle.evaluation.units.words import SpokenWords
from ossicle.metrics.units.dtw import angles, differing

HOW = Resampling(resamples=20)


def two_speakers(faithful):
    parts = [speech(faithful=faithful, group=group, seed=number) for number, group in enumerate(("ada", "bob"))]
    segments, units, notes = ([one for part in parts for one in part[k]] for k in range(3))
    result = {segment.segment_id: unit for segment, unit in zip(segments, units, strict=True)}
    return segments, result, SpokenWords(AnnotationColumns.from_annotations(notes))


def test_units_that_follow_words_tell_them_apart():
    segments, result, words = two_speakers(0.9)
    made = abx_figures(segments, words, TIMES, lambda judged_segment: result[judged_segment.segment_id], differing, HOW)
    assert made[WITHIN].error.value < 0.02
    assert made[ACROSS].error.value < 0.02
    assert made[ACROSS].n_speakers == 2


def test_units_at_random_are_at_chance():
    segments, result, words = two_speakers(0.0)
    made = abx_figures(segments, words, TIMES, lambda judged_segment: result[judged_segment.segment_id], differing, HOW)
    assert abs(made[WITHIN].error.value - 0.5) < 0.05


def test_x_is_of_a_judged_group():
    segments, result, words = two_speakers(0.9)
    made = abx_figures(
        segments, words, TIMES, lambda judged_segment: result[judged_segment.segment_id], differing, HOW, judged={"bob"}
    )
    assert (made[WITHIN].n_speakers, made[ACROSS].n_speakers) == (1, 2)
    nobody = abx_figures(
        segments, words, TIMES, lambda judged_segment: result[judged_segment.segment_id], differing, HOW, judged={"eve"}
    )
    assert nobody[WITHIN].n == nobody[ACROSS].n == 0


def test_only_as_many_segments_are_read_as_fit_into_memory(monkeypatch):
    segments, result, words = two_speakers(0.9)
    read = []

    def vectors(segment):
        read.append(segment.segment_id)
        return np.eye(8, dtype=np.float32)[result[segment.segment_id]]

    whole = abx_figures(segments, words, TIMES, vectors, angles, HOW, dim=8)
    assert len(read) == len(segments) == 24
    monkeypatch.setattr(module, "MOST_VALUES", 8 * 200 * 6)
    read.clear()
    part = abx_figures(segments, words, TIMES, vectors, angles, HOW, dim=8)
    assert len(read) == 6
    assert read == [segment.segment_id for segment in segments if segment.segment_id in set(read)]
    assert abs(part[WITHIN].error.value - whole[WITHIN].error.value) < 0.05
