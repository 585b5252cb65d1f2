"""``predict`` and ``stream`` with a bundle that has a second stage."""

import json
import wave
from pathlib import Path

import numpy as np
import pytest

from ossicle.inference.second_stage.file import second_stage_bytes

from ....bundle.conftest import LABELS, tiny_graph, written
from ....inference.second_stage.test_stage import stage

RATE = 8000


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    samples = np.random.default_rng(0).standard_normal(6 * RATE) * 2000
    with wave.open(str(tmp_path / "tape.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.astype("<i2").tobytes())
    return tmp_path / "tape.wav"


def bundle(place: Path, threshold: float | None) -> Path:
    files = {"model.onnx": tiny_graph().SerializeToString()}
    if threshold is not None:
        files["second_stage.safetensors"] = second_stage_bytes(stage(threshold, LABELS))
    written(place, files=files)
    return place


def n_events(said: str) -> int:
    return int(json.loads(said)["recordings"][0]["events"])


def test_predict_and_stream_give_the_events_of_both_stages(ossicle, tmp_path, tape):
    counts = {}
    for name, threshold in (("first", None), ("all", 0.0), ("nothing", 1.0)):
        done = ossicle("predict", bundle(tmp_path / name, threshold), tape, "-o", tmp_path / f"out-{name}", "--json")
        assert done.code == 0, done.err
        counts[name] = n_events(done.out)
        heard = ossicle("stream", tmp_path / name, tape, "--chunk-s", 0.3)
        assert heard.code == 0, heard.err
        scores = [json.loads(line)["score"] for line in heard.out.splitlines()]
        assert len(scores) == counts[name]
        if name == "all":
            assert set(scores) <= {0.1, 0.9}, "the stump's word"
    assert counts["all"] >= counts["first"] > 0 == counts["nothing"]


def test_another_second_stage_is_another_bundle_to_a_call_that_goes_on(ossicle, tmp_path, tape):
    """What an earlier call into the same folder has finished is not reused."""
    first = ossicle("predict", bundle(tmp_path / "a", 0.0), tape, "-o", tmp_path / "out", "--json")
    second = ossicle("predict", bundle(tmp_path / "b", 1.0), tape, "-o", tmp_path / "out", "--json")
    assert n_events(first.out) > 0 == n_events(second.out)


def test_a_damaged_second_stage_is_refused_by_name(ossicle, tmp_path, tape):
    files = {"model.onnx": tiny_graph().SerializeToString(), "second_stage.safetensors": b"PK\x03\x04 a zip"}
    written(tmp_path / "bad", files=files)
    done = ossicle("predict", tmp_path / "bad", tape, "-o", tmp_path / "out")
    assert done.code == 2
    assert "second_stage.safetensors" in done.err
