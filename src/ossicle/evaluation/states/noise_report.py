"""What a model of states says about sound without any appliance, in shares of the time; this refuses nothing.

The sounds of appliances are noise and hum, so a model that is on in white noise is not wrong for that. But who installs
one in a new room should know it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.core.decisions.states import ON, UNKNOWN, StateDecision, state_stretches
from ossicle.inference.predictor import Predictor
from ossicle.inference.states.finder import StateFinder
from ossicle.metrics.noise.noise_gate import PROBES

_FEED_S = 10.0


@dataclass(frozen=True, slots=True)
class NoiseStates:
    """States of one label in one part of a probe.

    Attributes
    ----------
    probe, part
        The kind of sound, and its level or frequency.
    label
        The label.
    seconds
        Length of the part.
    times_on
        How often the label turned on, or was on from the first state on.
    on_share, unknown_share
        Share of the time that it was on, and that its state was unknown: before the first window, or hidden.
    """

    probe: str
    part: str
    label: str
    seconds: float
    times_on: int
    on_share: float
    unknown_share: float

    def to_json(self) -> dict[str, Any]:
        """Return plain values, shares rounded to 6 decimals."""
        return {**asdict(self), "on_share": round(self.on_share, 6), "unknown_share": round(self.unknown_share, 6)}


def states_in_noise(
    probe: str, part: str, samples: NDArray[np.float32], predictor: Predictor, decision: StateDecision
) -> list[NoiseStates]:
    """Return the states of each label in a sound without appliances, through the engine that reads recordings.

    Parameters
    ----------
    probe, part
        Names of the sound.
    samples
        float32 (n,) at the rate of the predictor.
    predictor, decision
        The model and its rules.
    """
    finder, rate = StateFinder(predictor, decision), predictor.plan.rate
    changes = [change for block in _blocks(samples, int(_FEED_S * rate)) for change in finder.feed(block)]
    end_s = len(samples) / rate
    stretches = state_stretches([*changes, *finder.finish(end_s)], predictor.labels, end_s)
    rows = []
    for label in predictor.labels:
        label_stretches = [stretch for stretch in stretches if stretch.label == label]
        on, unknown = (
            [state_stretch for state_stretch in label_stretches if state_stretch.state == state]
            for state in (ON, UNKNOWN)
        )
        shares = [
            sum(state_stretch.end_s - state_stretch.start_s for state_stretch in state_stretches) / end_s
            for state_stretches in (on, unknown)
        ]
        rows.append(NoiseStates(probe, part, label, end_s, len(on), *shares))
    return rows


def noise_sentences(rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return one sentence for each kind of sound: which label is on there for most of the time.

    Parameters
    ----------
    rows
        :meth:`NoiseStates.to_json` of every part and label.

    Examples
    --------
    >>> row = {"probe": "hum", "part": "50 Hz at -30 dBFS", "label": "fridge", "times_on": 1, "on_share": 0.96}
    >>> noise_sentences([row])
    ("mains hum: 'fridge' is on for 96 % of the time (50 Hz at -30 dBFS)",)
    >>> noise_sentences([row | {"on_share": 0.0}])
    ('mains hum: nothing is on',)
    """
    return tuple(_sentences(rows))


def _sentences(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for probe, title in PROBES.items():
        probe_rows = [row for row in rows if row["probe"] == probe]
        if not probe_rows:
            continue
        worst = max(probe_rows, key=lambda row: row["on_share"])
        if worst["on_share"] == 0:
            yield f"{title}: nothing is on"
        else:
            yield f"{title}: {worst['label']!r} is on for {100 * worst['on_share']:.0f} % of the time ({worst['part']})"


def _blocks(samples: NDArray[np.float32], block_samples: int) -> Iterator[NDArray[np.float32]]:
    for start in range(0, len(samples), block_samples):
        yield samples[start : start + block_samples]
