"""Segments that are judged: their samples are those of their units, their length that of the whole segment."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

from ossicle.app.steps.vocoder import resynthesis
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.units.segments import SegmentsFolder
from ossicle.artefacts.typed.units.sequences import SequenceRow, SequencesFolder
from ossicle.artefacts.typed.units.speech import SpeechFolder
from ossicle.evaluation.units.resynthesis.settings import ResynthesisSettings
from ossicle.evaluation.units.vocoder_roles import SpeechSource, vocoder_roles

RATE, HOP, LEAD = 8000, 160, 20
SPEC = SimpleNamespace(rate=RATE, hop=HOP, hop_s=0.02, origin_s=0.0125, pitch=True)


def context(n_units: int, end_s: float) -> Any:
    """Return a context with a segment of ``c.wav`` from 1 s to ``end_s``, of which ``n_units`` were encoded."""
    units = np.zeros(n_units, np.int16)
    row = SequenceRow("c#0", "c", "c", 1.0, units, units[:1], np.array([n_units], np.int32))
    there = {
        CorpusFolder: None,
        SegmentsFolder: SimpleNamespace(table=lambda: pl.DataFrame({"segment_id": ["c#0"], "end_s": [end_s]})),
        SequencesFolder: SimpleNamespace(rows=lambda: [row]),
        SpeechFolder: SimpleNamespace(
            f0_hz=lambda: {"c#0": np.zeros(n_units, np.float32)},
            samples=lambda: [("c#0", np.ones(LEAD + n_units * HOP, np.float16))],
        ),
    }
    settings = SimpleNamespace(resynthesis=ResynthesisSettings())
    return SimpleNamespace(read=there.__getitem__, project=SimpleNamespace(settings=settings))


@pytest.mark.parametrize(("n_units", "end_s", "seconds"), [(20, 1.435, 0.435), (1600, 33.02, 30.0)])
def test_the_length_of_a_segment_goes_beyond_its_last_unit(
    monkeypatch: pytest.MonkeyPatch, n_units: int, end_s: float, seconds: float
) -> None:
    known = SimpleNamespace(recordings=[SimpleNamespace(id="c", path="c.wav")])
    monkeypatch.setattr(resynthesis, "read_index", lambda folder: known)
    roles = vocoder_roles([SpeechSource(f"{name}#0", f"{name}.wav", name) for name in "abc"], "speaker")
    (judged_source,) = resynthesis.judged_sources(context(n_units, end_s), roles, SimpleNamespace(spec=SPEC))
    assert judged_source.seconds == pytest.approx(seconds)
    assert len(judged_source.original) == min(n_units, 1500) * HOP
    assert judged_source.original.all()
