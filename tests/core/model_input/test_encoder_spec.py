from dataclasses import replace

import pytest

from ossicle.core.model_input.encoder_spec import EncoderSpec

SPEC = EncoderSpec("acoustic", rate=16000, dim=3)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", 3),
        ("rate", 0),
        ("rate", 16000.0),
        ("dim", True),
        ("window_samples", -1),
        ("hop_s", float("nan")),
        ("hop_s", -0.1),
        ("origin_s", "0"),
        ("sha256", "AB" * 32),
        ("sha256", "ab"),
        ("licence", None),
        ("version", 0),
    ],
)
def test_values_that_no_encoder_can_have_are_refused_by_name(field, value):
    with pytest.raises(ValueError, match=field):
        replace(SPEC, **{field: value})


def test_a_spec_survives_json():
    spec = EncoderSpec("onnx", 48000, 1024, 144000, 0.5, 0.25, 7, "ab" * 32, "MIT", 144000, 2)
    assert EncoderSpec(**spec.to_json()) == spec
    assert not spec.one_token
    assert SPEC.one_token


def test_the_length_of_a_waveform_is_judged_in_words():
    assert SPEC.length_fault(1) == ""
    assert "needs 144000 (3 s at 48000 Hz)" in EncoderSpec("birdnet", 48000, 4, window_samples=144000).length_fault(5)
    assert "at least 400" in EncoderSpec("hf", 16000, 4, least_samples=400).length_fault(399)
