"""Scenes of appliances: truth, levels and switches are what they are said to be."""

import numpy as np
import pytest

RATE = 1000


def made(number: int = 0, **changes: object):
    from appliance_scenes import make_scene

    # Each combination has a level of its own, so that the truth can be read off the samples.
    recordings = {
        (part, ac, fridge): np.full(180 * RATE, 0.1 * (1 + 2 * ac + fridge), np.float32)
        for part in ("day", "night")
        for ac in (False, True)
        for fridge in (False, True)
    }
    return make_scene(recordings, "day", number, RATE, **changes)


@pytest.mark.parametrize("number", range(3))
def test_the_truth_is_what_is_heard(number: int) -> None:
    scene = made(number, seconds=600.0, least=5)
    for one in scene.truth:
        inside = scene.samples[round(one.start_s * RATE) + 30 : round(one.end_s * RATE) - 30]
        levels = {round(10 * float(level)) for level in np.unique(inside.round(3))}
        expected = {
            ("ac", "on"): {3, 4},
            ("ac", "off"): {1, 2},
            ("fridge", "on"): {2},
            ("fridge", "off"): {1},
            ("fridge", "unknown"): {3, 4},
        }[one.label, one.state]
        # Inside a stretch of one label the other one may switch, with a short cross-fade.
        steady = [level for level in levels if np.mean(inside.round(3) == np.float32(level / 10)) > 0.02]
        assert set(steady) <= expected


def test_scenes_have_the_switches_and_the_gain_that_are_asked_for() -> None:
    loud, quiet = made(1, gain_db=6.0), made(1, gain_db=-6.0)
    assert len(loud.samples) == 1800 * RATE
    assert min(loud.switches.values()) >= 20
    assert loud.truth == quiet.truth
    np.testing.assert_allclose(loud.samples, quiet.samples * 10 ** (12 / 20), rtol=1e-5)
    assert made(1).truth != made(2).truth


def test_switches_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="20 switches"):
        made(seconds=300.0)


def test_places_say_where_each_sample_of_a_scene_comes_from() -> None:
    from appliance_scenes import make_places, make_scene

    rate, draw = 100, np.random.default_rng(5)
    sounds = {
        ("day", ac, fridge): draw.standard_normal(40 * rate).astype(np.float32)
        for ac in (False, True)
        for fridge in (False, True)
    }
    how = {"seconds": 200.0, "least": 2, "stretch_s": (10.0, 30.0)}
    scene = make_scene(sounds, "day", 3, rate, gain_db=0.0, **how)
    places = np.rint(make_places(sounds, "day", 3, rate, **how) * rate).astype(int)
    assert len(places) == len(scene.samples)
    heard = np.stack([sound[np.clip(places, 0, len(sound) - 1)] for sound in sounds.values()])
    # Only within the short cross-fades is a sample not one of a recording.
    assert (heard == scene.samples).any(axis=0).mean() > 0.99
