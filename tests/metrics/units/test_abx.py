import math

import numpy as np
import pytest
from tests.metrics.units.slow_alignment import slow_angle, slow_distance

from ossicle.metrics.units.abx import Tokens, abx_error, triple_errors
from ossicle.metrics.units.dtw import differing
from ossicle.metrics.units.triples import Triples, draw_triples


def corpus(seed=0, n_types=6, n_speakers=3, takes=4, voice=0.4, noise=0.3):
    """Tokens whose frames follow a path of their type, moved by their speaker."""
    generator = np.random.default_rng(seed)
    paths, voices = generator.normal(size=(n_types, 6, 8)), generator.normal(size=(n_speakers, 8)) * voice
    frames, types, speakers = [], [], []
    for kind in range(n_types):
        for speaker in range(n_speakers):
            for _ in range(takes):
                path = np.repeat(paths[kind], generator.integers(1, 3, size=6), axis=0)
                frames.append(path + voices[speaker] + generator.normal(size=path.shape) * noise)
                types.append(kind)
                speakers.append(speaker)
    return Tokens(frames, np.array(types), np.array(speakers))


@pytest.mark.parametrize("across", [False, True])
def test_every_triple_is_one_of_the_test(across):
    spoken = corpus()
    triples = draw_triples(spoken.types, spoken.speakers, 500, 1, across=across)
    a, b, x = triples.a, triples.b, triples.x
    assert len(triples) == 500
    assert (spoken.types[a] == spoken.types[x]).all()
    assert (spoken.types[a] != spoken.types[b]).all()
    assert (spoken.speakers[a] == spoken.speakers[b]).all()
    assert ((spoken.speakers[a] != spoken.speakers[x]) == across).all()
    assert (a != x).all()
    assert {*spoken.types[a]} == {*spoken.types[b]} == set(range(6))


def test_triples_depend_on_the_seed_alone():
    spoken = corpus()
    triples, again, other = (draw_triples(spoken.types, spoken.speakers, 50, seed, across=True) for seed in (1, 1, 2))
    assert (triples.x == again.x).all()
    assert (triples.x != other.x).any()


@pytest.mark.parametrize("across", [False, True])
def test_only_judged_speakers_are_heard(across):
    spoken = corpus()
    triples = draw_triples(spoken.types, spoken.speakers, 200, 1, across=across, judged={2})
    assert set(spoken.speakers[triples.x]) == {2}
    assert set(spoken.speakers[triples.a]) == ({0, 1} if across else {2})
    assert len(draw_triples(spoken.types, spoken.speakers, 200, 1, across=across, judged={7})) == 0


def test_types_and_speakers_count_alike_however_many_tokens_they_have():
    types = np.array([0] * 96 + [1, 1] + [0, 0, 1, 1])
    speakers = np.array([0] * 98 + [1] * 4)
    triples = draw_triples(types, speakers, 4000, 0, across=False)
    assert np.mean(types[triples.a] == 1) == pytest.approx(0.5, abs=0.03)
    assert np.mean(speakers[triples.a] == 1) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(
    ("types", "speakers", "across"),
    [
        ([0, 1, 2], [0, 0, 0], False),  # one token of each type
        ([0, 0, 1, 1], [0, 0, 0, 0], True),  # one speaker
        ([0, 0, 0], [0, 0, 1], True),  # one type
        ([], [], True),
    ],
)
def test_tokens_that_allow_no_triple_give_an_undefined_error(types, speakers, across):
    frames = [np.ones((2, 3))] * len(types)
    tokens = Tokens(frames, np.array(types, dtype=int), np.array(speakers, dtype=int))
    figure = abx_error(tokens, across=across, n=20)
    assert figure.n == 0
    assert figure.to_json()["value"] is figure.to_json()["shuffled"] is None


@pytest.mark.parametrize("across", [False, True])
def test_200_triples_of_features_equal_the_slow_reference(across):
    spoken = corpus(noise=1.5)
    triples = draw_triples(spoken.types, spoken.speakers, 200, 3, across=across)
    for fast, a, b, x in zip(triple_errors(spoken.frames, triples), triples.a, triples.b, triples.x, strict=True):
        to_a, to_b = (
            slow_distance(spoken.frames[token].tolist(), spoken.frames[x].tolist(), slow_angle) for token in (a, b)
        )
        assert fast == float(to_a > to_b)


def test_200_triples_of_units_equal_the_slow_reference_and_ties_count_half():
    generator = np.random.default_rng(0)
    units = [generator.integers(3, size=generator.integers(1, 7)).astype(np.int16) for _ in range(40)]
    a, b, x = generator.integers(40, size=(3, 200))
    fast = triple_errors(units, Triples(a, b, x), differing)
    for error, i, j, k in zip(fast, a, b, x, strict=True):
        to_a, to_b = (slow_distance(units[i], units[k], lambda p, q: float(p != q)) for i in (i, j))
        assert error == (0.5 if math.isclose(to_a, to_b) else float(to_a > to_b))
    assert 0.5 in fast


def test_easy_types_are_told_apart_and_permuted_ones_are_not():
    figure = abx_error(corpus(takes=8), across=False, n=1500)
    assert figure.error.value < 0.05
    assert figure.error.low <= figure.error.value <= figure.error.high
    assert figure.shuffled == pytest.approx(0.5, abs=0.08)
    assert (figure.n, figure.n_types, figure.n_speakers) == (1500, 6, 3)


def test_other_voices_are_harder_across_speakers():
    spoken = corpus(voice=2.0, noise=1.0)
    within, across = (
        abx_error(spoken, across=is_across, n=1000, resamples=0).error.value for is_across in (False, True)
    )
    assert across > within + 0.1


def test_the_interval_is_wider_than_that_of_independent_triples():
    """Triples share types: their number alone must not narrow the interval."""
    few, many = (abx_error(corpus(noise=1.5), across=True, n=n).error for n in (500, 5000))
    independent = 2 * 1.96 * math.sqrt(many.value * (1 - many.value) / 5000)
    assert many.high - many.low > 2 * independent
    assert many.high - many.low > 0.5 * (few.high - few.low)


def test_tokens_need_a_type_and_a_speaker_each():
    with pytest.raises(ValueError, match="2 tokens need one type"):
        Tokens([np.ones((1, 1))] * 2, np.array([0]), np.array([0, 1]))
