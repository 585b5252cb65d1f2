"""What a model of states says about noise is measured in time, by the engine that reads recordings."""

import numpy as np
import pytest

from ossicle.core.decisions.states import StateDecision, StateRule
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.evaluation.states.noise_report import noise_sentences, states_in_noise

PLAN = ChunkPlan(rate=1000, hop_samples=500, window_samples=1000, core_frames=1, context_frames=0)
RULE = StateRule(on=0.6, off=0.4)


class Loud:
    """The first label is on where a window is loud; the second one always."""

    labels = ("pump", "fan")
    plan = PLAN

    def predict(self, chunks: np.ndarray) -> np.ndarray:
        loud = (np.abs(chunks).max(axis=1) > 0.5).astype(np.float32)
        return np.stack([loud, np.ones_like(loud)], axis=1)[:, None]


def test_shares_of_time_and_switches_are_counted() -> None:
    sound = np.zeros(20_000, np.float32)
    sound[5_000:10_000] = 1.0
    pump, fan = states_in_noise("hum", "50 Hz", sound, Loud(), StateDecision({"pump": RULE, "fan": RULE}))
    assert (pump.times_on, fan.times_on) == (1, 1)
    # Half a window before and after, of 20 s.
    assert pump.on_share == pytest.approx(0.25, abs=0.05)
    assert fan.on_share + fan.unknown_share == pytest.approx(1.0)
    assert 0 < fan.unknown_share < 0.1
    assert pump.to_json()["seconds"] == 20.0


def test_a_hidden_label_is_unknown_there() -> None:
    decision = StateDecision({"pump": RULE, "fan": RULE}, masks={"fan": ("pump",)})
    pump, fan = states_in_noise("hum", "50 Hz", np.ones(5_000, np.float32), Loud(), decision)
    assert (pump.on_share, pump.unknown_share) == (0.0, 1.0)
    assert fan.on_share > 0.8


def test_sentences_name_the_label_that_is_on_most_in_each_kind_of_sound() -> None:
    row = {"probe": "white_noise", "part": "-60 dBFS", "label": "fan", "on_share": 0.2}
    rows = [row, row | {"part": "-20 dBFS", "on_share": 1.0}, row | {"probe": "silence", "on_share": 0.0}]
    assert noise_sentences(rows) == (
        "digital silence: nothing is on",
        "white noise: 'fan' is on for 100 % of the time (-20 dBFS)",
    )
    assert noise_sentences([]) == ()
