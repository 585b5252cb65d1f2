"""Bundles whose scores follow the level: what is written is read, and what does not fit is refused by its key."""

import dataclasses
import json

import numpy as np
import pytest

from ossicle.audio.encoders.acoustic import AcousticEncoder, level_direction
from ossicle.bundle.entries.level import LEVEL
from ossicle.bundle.format import read_bundle
from ossicle.bundle.runtimes.bundled_encoded import bundled_encoded_predictor
from ossicle.bundle.runtimes.encoded_predictor import HeadGraph
from ossicle.core.errors import BundleError
from ossicle.core.scores.level_follower import LevelFollower
from ossicle.core.scores.level_settings import LevelSettings
from ossicle.inference.predictor import OnChannel, for_recording
from ossicle.inference.scorer import Scorer

from ..made_up.level_bundle import FOLLOWING, hum_model, write_level_bundle
from ..made_up.state_bundle import RATE, hums, write_state_bundle
from .manifest_edits import edit, remover, setter


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return write_level_bundle(tmp_path_factory.mktemp("level") / "bundle")


def test_what_is_written_is_read(bundle):
    again = read_bundle(bundle.folder)
    assert again == bundle
    assert again.level == FOLLOWING
    assert LEVEL in again.files


def test_bundles_that_do_not_follow_have_no_such_key(tmp_path):
    plain = write_state_bundle(tmp_path / "bundle")
    assert plain.level is None
    assert "level" not in json.loads((plain.folder / "bundle.json").read_text())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (setter("level", "more", value=1), r"level\.more is unknown"),
        (remover("level", "share"), r"level\.share is missing"),
        (setter("level", "share", value=2.0), r"level cannot be used: share = 2\.0 must be at most 1"),
        (setter("level", value=[]), "level is not an object"),
        (remover("files", LEVEL), r"level needs the file level\.safetensors"),
        (remover("states"), "level is for states by an encoder"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_refused_by_its_key(tmp_path, change, message):
    own = write_level_bundle(tmp_path / "bundle")
    edit(own, change)
    with pytest.raises(BundleError, match=message):
        read_bundle(own.folder)


def test_class_models_of_another_encoder_are_refused(tmp_path):
    model = hum_model()
    short = dataclasses.replace(
        model,
        direction=model.direction[:-1],
        centre=model.centre[:-1],
        slope=model.slope[:-1],
        weights=model.weights[:, :-1],
    )
    own = write_level_bundle(tmp_path / "bundle", model=short)
    with pytest.raises(BundleError, match=r"level\.safetensors: cannot be used: the class models read \d+ values"):
        bundled_encoded_predictor(own, AcousticEncoder())


def test_a_recording_is_scored_by_one_follower_in_order(bundle):
    encoder, samples = AcousticEncoder(), hums((6.0, 0, 0), (6.0, 1, 0), (6.0, 0, 1)) * np.float32(0.5)
    predictor = bundled_encoded_predictor(bundle, encoder)
    result = Scorer(predictor, 3).feed(samples)
    head = HeadGraph(bundle.read_bytes("head.onnx"), "head.onnx", 2, encoder.spec.dim)
    own = LevelFollower(hum_model(), FOLLOWING, 0.5, head.scores, unheard=2)
    padded = np.concatenate([np.zeros(RATE * 3 // 4, np.float32), samples])
    for frame, scores in enumerate(result):
        window = padded[frame * RATE // 2 :][: 2 * RATE]
        assert own(encoder.encode(window[None])[0]).tolist() == scores.tolist()
    assert own.level_db < -2.0


def test_each_recording_begins_at_the_level_of_the_training(bundle):
    predictor = OnChannel(bundled_encoded_predictor(bundle, AcousticEncoder()), "first")
    loud, plain = hums((8.0, 1, 0)), hums((8.0, 0, 1)) * np.float32(0.4)
    first = Scorer(predictor).feed(plain)
    Scorer(predictor).feed(loud)
    assert Scorer(predictor).feed(plain).tolist() == first.tolist()
    assert for_recording(predictor) is not predictor


def test_the_direction_of_a_level_is_what_the_encoder_does():
    noise = np.random.default_rng(0).normal(0, 0.02, 2 * RATE).astype(np.float32)
    samples = hums((2.0, 1, 0)) + noise  # above the floor of the spectrogram in every band
    one, louder = AcousticEncoder().encode(np.stack([samples, samples * np.float32(10 ** (5 / 20))]))[:, 0]
    np.testing.assert_allclose(louder - one, 5.0 * level_direction(), atol=2e-3)


def test_settings_are_checked():
    with pytest.raises(ValueError, match="share = 2 must be at most 1"):
        LevelSettings(share=2)
