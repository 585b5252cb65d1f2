"""Bundles with an encoder and states: what is written is read, and everything else is refused by its key."""

import dataclasses
import json

import numpy as np
import pytest

from ossicle.audio.encoders.acoustic import AcousticEncoder
from ossicle.bundle.format import read_bundle
from ossicle.bundle.runtimes.bundled_encoded import bundled_encoded_predictor
from ossicle.bundle.runtimes.encoded_predictor import HeadGraph
from ossicle.core.decisions.states import StateDecision, StateRule
from ossicle.core.errors import BundleError
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.model_input.encoder_spec import EncoderSpec
from ossicle.core.model_input.encoder_windows import EncoderWindows

from ..made_up.state_bundle import DECISION, LABELS, RATE, head_bytes, hums, write_state_bundle
from .manifest_edits import edit, remover, setter


@pytest.fixture
def bundle(tmp_path):
    return write_state_bundle(tmp_path / "bundle")


def edited(bundle, change):
    edit(bundle, change)
    return bundle.folder


def test_what_is_written_is_read(bundle):
    again = read_bundle(bundle.folder)
    assert again == bundle
    assert again.encoder == AcousticEncoder.spec
    assert again.states == DECISION
    assert set(again.files) == {"head.onnx", "CARD.md"}


def test_a_decision_that_is_not_fitted_is_read_as_such(tmp_path):
    unfitted = StateDecision(masks={"ac": ("fridge",)}, priority=LABELS)
    again = read_bundle(write_state_bundle(tmp_path / "bundle", states=unfitted).folder)
    assert again.states == unfitted
    assert not again.states.fitted
    assert "Not fitted: this bundle gives scores only" in (again.folder / "CARD.md").read_text()


def test_bundles_without_these_keys_do_not_get_them(tmp_path):
    plan = ChunkPlan(rate=RATE, hop_samples=160, window_samples=512, core_frames=1, context_frames=0)
    files = {"model.onnx": head_bytes()}
    plain = write_state_bundle(tmp_path / "bundle", encoder=None, states=None, files=files, plan=plan)
    assert {"encoder", "states"} & json.loads((plain.folder / "bundle.json").read_text()).keys() == set()


HOSTILE = [
    (setter("encoder", "more", value=1), r"encoder\.more is unknown"),
    (remover("encoder", "dim"), r"encoder\.dim is missing"),
    (setter("encoder", "dim", value=1 << 40), r"encoder\.dim = \d+ is not from"),
    (setter("encoder", "dim", value=1.5), r"encoder\.dim is not a whole number"),
    (setter("encoder", "name", value="a\u202eb"), r"encoder\.name contains control characters"),
    (setter("encoder", "name", value=""), r"encoder.*name is empty"),
    (setter("encoder", "sha256", value="../x"), r"encoder.*sha256 = '\.\./x' is not 64"),
    (setter("encoder", "hop_s", value="1"), r"encoder\.hop_s is not a finite number"),
    (setter("encoder", "rate", value=8000), r"plan does not fit encoder: the encoder reads 8000 Hz"),
    (setter("encoder", "window_samples", value=100), r"plan does not fit encoder: a window has 32000 samples"),
    (setter("encoder", value=[]), "encoder is not an object"),
    (setter("states", "more", value=1), r"states\.more is unknown"),
    (remover("states", "masks"), r"states\.masks is missing"),
    (remover("states", "rules", "ac"), r"states\.rules\.ac is missing"),
    (setter("states", "rules", "tv", value={}), r"states\.rules\.tv is unknown"),
    (
        setter("states", "rules", "ac", "on", value=2.0),
        r"states\.rules\.ac cannot be used: on = 2\.0 must be at most 1",
    ),
    (setter("states", "rules", "ac", "frames", value=1 << 40), r"states\.rules\.ac cannot be used: frames"),
    (setter("states", "rules", "ac", "debounce", value="2"), r"states\.rules\.ac\.debounce is not of type int"),
    (setter("states", "masks", "tv", value=["ac"]), "states.*'tv', which the bundle does not have"),
    (setter("states", "masks", "ac", value=["tv"]), r"states\.masks\.ac names the label 'tv'"),
    (setter("states", "masks", value={"ac": ["fridge"], "fridge": ["ac"]}), "hidden by a label that it hides"),
    (setter("states", "priority", value=["ac", "ac"]), r"states\.priority contains a text twice"),
    (setter("states", "priority", value="ac"), r"states\.priority is not a list"),
    (setter("pool", value="mean"), "pool is for events: a bundle with states cannot have it"),
    (setter("encoder_windows", value=[]), "encoder_windows is not an object"),
    (setter("encoder_windows", value={"window_samples": 8000}), r"encoder_windows\.hop_samples is missing"),
    (
        setter("encoder_windows", value={"window_samples": 8000, "hop_samples": 0}),
        "encoder_windows cannot be used: hop_samples = 0 must be at least 1",
    ),
    (
        setter("encoder_windows", value={"window_samples": 32001, "hop_samples": 1}),
        r"plan does not fit encoder: a window has 32000 samples, and encoder_windows\.window_samples = 32001",
    ),
    (
        setter("encoder_windows", value={"window_samples": 100, "hop_samples": 100}),
        "plan does not fit encoder: a window has 100 samples; the encoder acoustic needs at least",
    ),
    (setter("files", value={}), r"files lists no head\.onnx: there is nothing to run"),
]


@pytest.mark.parametrize(("change", "message"), HOSTILE)
def test_a_manifest_that_cannot_be_used_is_refused_by_its_key(bundle, change, message):
    with pytest.raises(BundleError, match=message):
        read_bundle(edited(bundle, change))


def test_the_card_says_what_is_heard_and_how_states_are_decided(bundle):
    card = (bundle.folder / "CARD.md").read_text()
    assert "The states (on, off, unknown) of 2 labels" in card
    assert "from 2 s of sound by the encoder acoustic (its licence: Apache\\-2.0)" in card
    assert "| ac | 0.6 | 0.4 | median of 3 frames | 0 | 0 | 2 |" in card
    assert "- ac hides fridge: unknown while it is on" in card


def test_scores_are_those_of_each_window_by_itself_whatever_the_batch(tmp_path):
    bundle = write_state_bundle(tmp_path / "bundle", hop_s=0.3)
    chunked = dataclasses.replace(bundle, plan=dataclasses.replace(bundle.plan, core_frames=3, context_frames=1))
    encoder = AcousticEncoder()
    single, many = bundled_encoded_predictor(bundle, encoder), bundled_encoded_predictor(chunked, encoder)
    plan = chunked.plan
    samples = hums((4.0, 1, 0), (4.0, 0, 1))
    chunks = np.stack([samples[start : start + plan.chunk_samples] for start in (0, plan.core_samples, 40_000)])
    result = many.predict(chunks)
    assert result.shape == (3, 3, 2)
    for chunk, scores in zip(chunks, result, strict=True):
        for frame, expected in enumerate(scores):
            start = (plan.context_frames + frame) * plan.hop_samples
            window = chunk[start : start + plan.window_samples]
            assert single.predict(window[None])[0, 0].tolist() == expected.tolist()


def test_the_tokens_of_a_clip_are_those_of_its_windows(tmp_path):
    windows = EncoderWindows(window_samples=8000, hop_samples=4000)
    bundle = write_state_bundle(tmp_path / "bundle", encoder_windows=windows)
    assert read_bundle(bundle.folder).encoder_windows == windows
    read: list[tuple[int, ...]] = []

    class Counting(AcousticEncoder):
        def encode(self, waveforms):
            read.append(waveforms.shape)
            return super().encode(waveforms)

    encoder = Counting()
    samples = hums((2.0, 1, 0))
    result = bundled_encoded_predictor(bundle, encoder).predict(samples[None])[0, 0]
    assert read == [(7, 8000)]
    tokens = AcousticEncoder().encode(np.stack([samples[k : k + 8000] for k in range(0, 24001, 4000)]))[:, 0]
    head = HeadGraph(bundle.read_bytes("head.onnx"), "head.onnx", 2, encoder.spec.dim)
    assert result.tolist() == head.scores(tokens).tolist()


def test_windows_without_an_encoder_are_refused(tmp_path):
    plan = ChunkPlan(rate=RATE, hop_samples=160, window_samples=512, core_frames=1, context_frames=0)
    files = {"model.onnx": head_bytes()}
    plain = write_state_bundle(tmp_path / "bundle", encoder=None, states=None, files=files, plan=plan)
    change = setter("encoder_windows", value={"window_samples": 100, "hop_samples": 100})
    with pytest.raises(BundleError, match="encoder_windows is for an encoder"):
        read_bundle(edited(plain, change))


def test_another_encoder_is_refused(bundle):
    class Other(AcousticEncoder):
        spec = dataclasses.replace(AcousticEncoder.spec, version=99)

    with pytest.raises(BundleError, match="version = 99 instead of"):
        bundled_encoded_predictor(bundle, Other())


def test_a_bundle_without_an_encoder_is_refused(bundle):
    with pytest.raises(BundleError, match="reads no embeddings"):
        bundled_encoded_predictor(dataclasses.replace(bundle, encoder=None), AcousticEncoder())


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ({"dim": 7}, r"expected one 'embeddings' of floats \(batch, tokens, \d+\)"),
        ({"reads": "log_mel"}, "expected one 'embeddings'"),
        ({"labels": 1}, r"expected one 'scores' of floats \(batch, 2\)"),
    ],
)
def test_a_head_that_does_not_fit_is_refused(tmp_path, head, message):
    files = {"head.onnx": head_bytes(**({"dim": AcousticEncoder.spec.dim} | head))}
    bundle = write_state_bundle(tmp_path / "bundle", files=files)
    with pytest.raises(BundleError, match=message):
        bundled_encoded_predictor(bundle, AcousticEncoder())


def test_rules_and_encoders_of_any_values_survive_the_manifest(tmp_path):
    rule = StateRule(on=0.1 + 0.2, off=0.1 / 3, smoothing="ema", frames=8, min_on_s=1.5, min_off_s=0.7, debounce=9)
    spec = EncoderSpec("onnx", 16000, 9, 32000, hop_s=0.02, origin_s=1 / 3, layer=7, sha256="0f" * 32, licence="MIT")
    written = write_state_bundle(tmp_path / "b", encoder=spec, states=StateDecision(dict.fromkeys(LABELS, rule)))
    again = read_bundle(written.folder)
    assert (again.encoder, again.states.rules["fridge"], again.states.masks) == (spec, rule, {})
