import pytest

from ossicle.audio.encoders.settings import EncoderSettings
from ossicle.core.settings import digestible


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": "beats"}, "needs the path"),
        ({"name": "onnx"}, "needs the path"),
        ({"name": "acoustic", "path": "a.onnx"}, "reads no file"),
        ({"name": "birdnet", "path": "a.onnx"}, "reads no file"),
        ({"name": "acoustic", "layer": 3}, "only"),
        ({"name": "mfcc", "path": "w"}, "reads no file"),
        ({"name": "hf", "path": "w", "layer": 0}, "from 1 on"),
        ({"name": "acoustic", "rate": 8000}, "own sample rate"),
        ({"name": "mfccs"}, "not one of"),
    ],
)
def test_settings_that_fit_no_encoder_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        EncoderSettings(**given)


def test_the_place_of_the_weights_changes_no_result():
    assert digestible(EncoderSettings(name="hf", path="a", layer=2)) == {"name": "hf", "layer": 2}
