"""Invariant 4 on a trained bundle: whatever feeds, batches, threads and runtime, the same scores and events."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from ossicle.app.api.bundles.engine import Engine, open_predictor
from ossicle.audio.decoding.mono import MonoStream
from ossicle.bundle.format import Bundle, read_bundle
from ossicle.core.tracks import Event
from ossicle.inference.batch import predict_file, stream_file
from ossicle.inference.scorer import Scorer

from .conftest import Tiny

FEEDS_S = (0.02, 0.1, 0.5, 1.0, 10.0)
BATCHES = (1, 8, 32)
RUNTIMES = ("onnx", "openvino", "torch")


@pytest.fixture(autouse=True)
def threads_of_others() -> Iterator[None]:
    """Torch's threads are the process's: leave them as they were."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def bundle(tiny: Tiny) -> Bundle:
    return read_bundle(tiny.bundle)


@pytest.fixture(scope="module")
def tape(tiny: Tiny) -> Path:
    return sorted((tiny.tapes / "audio").iterdir())[0]


def scores(bundle: Bundle, tape: Path, runtime: str, threads: int, batch: int, feed_s: float) -> NDArray[np.float32]:
    scorer = Scorer(open_predictor(bundle, Engine(runtime, threads)), batch)
    samples = np.concatenate(list(MonoStream(tape, bundle.plan.rate)))
    feed = round(feed_s * bundle.plan.rate)
    parts = [scorer.feed(samples[at : at + feed]) for at in range(0, len(samples), feed)]
    return np.concatenate([*parts, scorer.finish()])


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("threads", [1, 2, 4])
def test_scores_do_not_depend_on_feed_and_batch(bundle: Bundle, tape: Path, runtime: str, threads: int) -> None:
    expected = scores(bundle, tape, runtime, threads, 8, 10.0)
    assert expected.max() > 0.5 > expected.min()
    for batch in BATCHES:
        for feed_s in FEEDS_S:
            result = scores(bundle, tape, runtime, threads, batch, feed_s)
            np.testing.assert_allclose(result, expected, rtol=0, atol=1e-6, err_msg=f"batch {batch}, feed {feed_s} s")


def test_scores_of_threads_and_runtimes_agree(bundle: Bundle, tape: Path) -> None:
    expected = scores(bundle, tape, "onnx", 1, 8, 1.0)
    for runtime in RUNTIMES:
        for threads in (1, 2, 4):
            result = scores(bundle, tape, runtime, threads, 8, 1.0)
            np.testing.assert_allclose(result, expected, rtol=0, atol=1e-4, err_msg=f"{runtime}, {threads} threads")


def test_events_of_every_path_are_the_same(bundle: Bundle, tape: Path) -> None:
    def key(event: Event) -> tuple[str, float, float]:
        return event.label, event.start_s, event.end_s

    expected = [key(event) for event in predict_file(tape, open_predictor(bundle, Engine()), bundle.decisions).events]
    assert expected
    for runtime in RUNTIMES:
        predictor = open_predictor(bundle, Engine(runtime))
        batch = [key(event) for event in predict_file(tape, predictor, bundle.decisions, 32).events]
        assert batch == expected, runtime
        for feed_s in FEEDS_S:
            live = sorted(
                key(emitted_event.event) for emitted_event in stream_file(tape, predictor, bundle.decisions, feed_s)
            )
            assert live == sorted(expected), f"{runtime}, {feed_s} s"
