"""What is on in a window: whole recordings, stretches, and labels that nobody knows."""

import numpy as np

from ossicle.core.records import Annotation
from ossicle.corpus.windows.window_truth import recording_states, window_truth

STARTS = np.arange(0.0, 8.5, 0.5)


def test_a_label_is_on_where_it_covers_the_window_and_unknown_where_it_changes() -> None:
    fan = Annotation("a", 3.0, 6.0, "fan")
    truth = window_truth(STARTS, 2.0, [fan], ["fan", "hum"])[:, 0]
    expected = {0.0: 0, 1.0: 0, 1.5: -1, 2.5: -1, 3.0: 1, 4.0: 1, 4.5: -1, 5.5: -1, 6.0: 0, 8.0: 0}
    assert {start: int(truth[int(2 * start)]) for start in expected} == expected
    assert window_truth(STARTS, 2.0, [fan], ["fan", "hum"])[:, 1].tolist() == [0] * len(STARTS)


def test_stretches_that_touch_are_one() -> None:
    touching = [Annotation("a", 0.0, 3.0, "fan"), Annotation("a", 3.0, 10.0, "fan")]
    assert window_truth(STARTS, 2.0, touching, ["fan"]).tolist() == [[1]] * len(STARTS)


def test_an_unknown_label_is_known_in_no_window() -> None:
    hum = Annotation("a", 0.0, 10.0, "hum")
    assert window_truth(STARTS[:2], 2.0, [hum], ["fan", "hum"], ["fan"]).tolist() == [[-1, 1], [-1, 1]]


def test_the_states_of_a_recording() -> None:
    notes = [Annotation("a", 0.0, 10.0, "hum"), Annotation("a", 1.0, 2.0, "bell")]
    assert recording_states(10.0, notes, ["bell", "fan", "hum", "wind"], ["wind"]) == {
        "bell": "unknown",
        "fan": "off",
        "hum": "on",
        "wind": "unknown",
    }
