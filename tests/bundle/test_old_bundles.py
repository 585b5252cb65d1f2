"""Bundles that earlier versions wrote: they load, and predict what they predicted (scripts/make_old_bundle.py)."""

from pathlib import Path

import numpy as np
import pytest

from ossicle.app.api.bundles.engine import LIBRARIES, RUNTIMES, Engine, open_predictor
from ossicle.artefacts.files import read_json
from ossicle.bundle.format import read_bundle
from ossicle.bundle.runtimes.onnx_runtime import OnnxPredictor
from ossicle.inference.decisions.decide import Decider
from ossicle.inference.predictor import Predictor
from ossicle.inference.scorer import Scorer

KEPT = Path(__file__).resolve().parents[1] / "data" / "bundles"
VERSIONS = sorted(place.name for place in KEPT.iterdir())
MOST_BYTES = 200_000


def sound() -> np.ndarray:
    """As scripts/make_old_bundle.py has it: whole numbers alone, so that every machine makes the same."""
    at = np.arange(16000, dtype=np.int64)
    wave = (at * at * 7919 % 6007 - 3003) * (1 + 3 * (at // 1800 % 3))
    return (wave / 32768).astype(np.float32)


def require_as_then(folder: Path, predictor: Predictor) -> None:
    bundle, expected = read_bundle(folder / "bundle"), read_json(folder / "expected.json")
    samples = sound()
    scorer = Scorer(predictor)
    scores = np.concatenate([scorer.feed(samples), scorer.finish()])
    np.testing.assert_allclose(scores, expected["scores"], atol=1e-4, rtol=0)
    decider = Decider(bundle.labels, bundle.decisions, bundle.plan.hop_s)
    events = decider.feed(scores) + decider.finish(len(samples) / bundle.plan.rate)
    assert [[event.label, round(event.start_s, 6), round(event.end_s, 6)] for event in events] == [
        row[:3] for row in expected["events"]
    ]


def test_there_is_one_at_all() -> None:
    assert "0.1.0" in VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_an_old_bundle_predicts_what_it_predicted(version: str, runtime: str) -> None:
    pytest.importorskip(LIBRARIES[runtime])
    bundle = read_bundle(KEPT / version / "bundle")
    require_as_then(KEPT / version, open_predictor(bundle, Engine(runtime)))


@pytest.mark.parametrize("version", VERSIONS)
def test_its_graph_for_other_programs_does_too(version: str) -> None:
    bundle = read_bundle(KEPT / version / "bundle")
    require_as_then(KEPT / version, OnnxPredictor(bundle, graph="waveform"))


@pytest.mark.parametrize("version", VERSIONS)
def test_an_old_bundle_is_small_and_fires(version: str) -> None:
    assert sum(path.stat().st_size for path in (KEPT / version).rglob("*") if path.is_file()) < MOST_BYTES
    labels = [row[0] for row in read_json(KEPT / version / "expected.json")["events"]]
    assert set(labels) == set(read_bundle(KEPT / version / "bundle").labels)
