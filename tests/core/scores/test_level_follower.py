"""The forward filter over states and levels: its oracle, what it is for, and what must not move it."""

from itertools import product

import numpy as np
import pytest

from ossicle.core.scores.level_follower import STEP_DB, LevelFollower
from ossicle.core.scores.level_settings import LevelSettings

from .level_models import embeddings, small_model

HOP_S = 0.5
MODEL = small_model()


def head(tokens):
    """Right at the level of the training, and wrong at another: it reads nothing but levels."""
    ac, fridge = tokens[0, 1] + 50, tokens[0, 0] + 55
    return (1 / (1 + np.exp(-np.array([ac, fridge])))).astype(np.float32)


def follower(**changes):
    unheard = changes.pop("unheard", 0)
    return LevelFollower(MODEL, LevelSettings(follow=True, **changes), HOP_S, head, unheard)


def log_likelihood(model, tokens, state, level_db):
    constant, linear = model.lines(tokens[0])
    return constant[state] + level_db * linear[state] - model.curve[0] / 2 * level_db**2


def test_the_level_is_that_of_a_sum_over_all_paths():
    """The oracle of the forward procedure: every sequence of states and levels, with its probability."""
    windows = [*embeddings(0, 1, 2, 1.0), *embeddings(1, 0, 1, 1.0)]
    own = follower(range_db=1.5, spread_db=2.0)
    for window in windows:
        own(window)
    levels, states = np.array([-STEP_DB, 0.0, STEP_DB]), MODEL.states
    prior = np.exp(-0.5 * (levels / 2.0) ** 2)
    prior /= prior.sum()
    places = list(product(range(len(states)), range(3)))

    def weight(tokens, place):
        log_weights = [0.01 * HOP_S * log_likelihood(MODEL, tokens, s, levels[g]) for s, g in places]
        return np.exp(max(log_weights[places.index(place)] - max(log_weights), -4.0 * HOP_S))

    def step(before, after):
        flip, move = HOP_S / 45, 0.02 * HOP_S
        differ = int((states[before[0]] != states[after[0]]).sum())
        chance = flip**differ * (1 - flip) ** (2 - differ)
        if before[1] == after[1]:
            return chance * (1 - move if before[1] != 1 else 1 - 2 * move)
        return chance * (move if abs(before[1] - after[1]) == 1 else 0.0)

    total = mean = 0.0
    for path in product(places, repeat=3):
        chance = prior[path[0][1]] / len(states) * weight(windows[0], path[0])
        for k in (1, 2):
            chance *= step(path[k - 1], path[k]) * weight(windows[k], path[k])
        total += chance
        mean += chance * levels[path[-1][1]]
    assert own.level_db == pytest.approx(mean / total, abs=1e-9)


@pytest.mark.parametrize("level_db", [-6.0, 6.0])
def test_scores_are_right_at_another_level_once_it_is_heard(level_db):
    own = follower()
    scene = [(0, 0), (0, 1), (0, 0), (1, 0), (0, 1)]
    wrong_before = wrong = 0
    for number, state in enumerate(scene):
        for tokens in embeddings(*state, 60, level_db, seed=1):
            is_on = own(tokens) >= 0.5
            if number >= 1:
                # The air conditioner hides the fridge.
                known = np.array(state, bool)[: 1 if state[0] else 2]
                wrong += (is_on[: len(known)] != known).sum()
                wrong_before += ((head(tokens) >= 0.5)[: len(known)] != known).sum()
    assert own.level_db == pytest.approx(level_db, abs=1.0)
    assert wrong_before > 30
    assert wrong <= 2


def test_a_recording_at_the_level_of_the_training_is_left_there():
    own = follower(share=0.0)
    for state in ((0, 0), (1, 0), (0, 1)):
        for tokens in embeddings(*state, 60, seed=2):
            scores = own(tokens)
            assert scores == pytest.approx(head(tokens - own.level_db * MODEL.direction.astype(np.float32)), abs=1e-5)
    assert abs(own.level_db) < 0.5


def test_windows_before_the_recording_say_nothing_about_its_level():
    own, later = follower(unheard=2), follower()
    for tokens in embeddings(0, 0, 2, -60.0):
        own(tokens)
    assert own.level_db == pytest.approx(0.0, abs=1e-12)
    for tokens in embeddings(1, 0, 5, 3.0):
        assert own(tokens).tolist() == later(tokens).tolist()


def test_a_few_windows_of_digital_silence_hardly_move_the_level():
    own = follower()
    for tokens in embeddings(0, 1, 200, 4.0):
        own(tokens)
    before = own.level_db
    for _ in range(3):
        own(np.full((1, 4), -100.0, np.float32))
    assert own.level_db > before - 4.0
    for tokens in embeddings(0, 1, 20, 4.0):
        own(tokens)
    assert own.level_db == pytest.approx(before, abs=1.0)
