import math

import numpy as np
import pytest
from tests.evaluation.units.spoken import TIMES, speech

from ossicle.core.columns.annotation_columns import AnnotationColumns
from ossicle.evaluation.units.unit_boundaries import boundary_counts
from ossicle.evaluation.units.unit_figures import Resampling, unit_figures
from ossicle.evaluation.units.words import SpokenWords

HOW = Resampling(resamples=100)


def figures(faithful=1.0, labelled=True, **of):
    segments, units, notes = speech(faithful=faithful, **of)
    return unit_figures(segments, units, 8, TIMES, SpokenWords(notes) if labelled else None, {}, HOW)


def test_units_that_are_the_words_have_the_best_figures():
    made = figures()
    values = {name: figure.value for name, figure in made.figures.items()}
    best = [values[name] for name in ("ami", "nmi", "purity", "boundary_precision")]
    assert best == pytest.approx([1.0] * 4)
    assert values["bitrate"] == pytest.approx(150, rel=0.02)
    assert values["repeat_rate"] > 0.9
    # Two equal words after each other have a boundary between them that no change of unit shows.
    assert 0.8 < values["boundary_recall"] < 1.0
    assert (made.recordings, made.segments, made.units_used) == (12, 12, 8)
    assert made.seconds == pytest.approx(12 * 4.0)


def test_units_at_random_are_at_chance():
    made = figures(faithful=0.0)
    assert made.words is not None
    assert abs(made.figures["ami"].value) < 0.02
    assert made.figures["boundary_f"].value == pytest.approx(made.words.random_f1, abs=0.03)
    assert made.figures["r_value"].value < 0


def test_figures_without_words_are_left_out():
    made = figures(labelled=False)
    assert set(made.figures) == {"bitrate", "bitrate_runs", "repeat_rate"}
    assert "ami" not in made.to_json()


def test_silence_is_judged_by_no_figure():
    segments, units, notes = speech()
    spoken = SpokenWords(AnnotationColumns.from_annotations([note for note in notes if note.start_s < 1.99]))
    noisy = [np.where(np.arange(len(unit)) >= 101, np.arange(len(unit)) % 8, unit).astype(np.int16) for unit in units]
    made = [unit_figures(segments, told, 8, TIMES, spoken, {}, HOW).words for told in (units, noisy)]
    assert made[0].agreement == made[1].agreement
    assert made[0].boundaries.precision.value == made[1].boundaries.precision.value == pytest.approx(1.0)


def test_segments_and_units_of_other_lengths_are_refused():
    segments, units, _ = speech()
    with pytest.raises(ValueError, match="ada0#0000 has 200 frames and 199 units"):
        unit_figures(segments, [unit[:-1] for unit in units], 8, TIMES, None, {}, HOW)


def test_boundaries_of_a_segment_worked_out_by_hand():
    units, times = np.array([0, 0, 1, 1, 1, 2]), 0.0125 + 0.02 * np.arange(6)
    # Changes at 42.5 and 102.5 ms; edges at 40 and 60 ms, and at 12 and 200 ms, which are beyond the frames.
    words = np.array([[0.012, 0.04], [0.04, 0.06], [0.0602, 0.2]])
    (matched, result, true), (_, random, _) = boundary_counts(units, times, words, np.random.default_rng(0))
    assert (matched, result, true, random) == (1, 2, 2, 2)
    far = boundary_counts(units, times, np.array([[5.0, 6.0]]), np.random.default_rng(0))
    assert far == ((0, 0, 0), (0, 0, 0))
    assert boundary_counts(units[:1], times[:1], words, np.random.default_rng(0)) == ((0, 0, 0), (0, 0, 0))


def test_no_segments_have_undefined_figures():
    made = unit_figures([], [], 8, TIMES, SpokenWords(AnnotationColumns.from_annotations([])), {}, HOW)
    assert math.isnan(made.figures["ami"].value)
    assert made.to_json()["ami"]["value"] is None
