import numpy as np
import pytest
import torch

from ossicle.core.errors import UsageError
from ossicle.models.vocoder.durations import PitchModel
from ossicle.models.vocoder.generator import PADDING, UNKNOWN
from ossicle.training.vocoder.crops import CropReader
from ossicle.training.vocoder.draws import Draw

from .made_up_speech import HOP, K, corpus

PITCH = PitchModel(np.zeros(K), np.ones(K), np.log([110.0, 200.0]), float(np.log(150.0)))


def test_a_crop_is_the_sound_of_its_units() -> None:
    whole = corpus()
    reader = CropReader(whole, whole.training, PITCH)
    crops = reader.read([Draw(2, 5, 15, 0, 1), Draw(0, 0, 8, 1, 2)])
    assert crops.units.shape == (2, 10)
    np.testing.assert_array_equal(crops.units[0], whole.training[2].units[5:15])
    sound, _ = whole.aligned(whole.training[2])
    np.testing.assert_array_equal(crops.real[0], sound[5 * HOP : 15 * HOP])
    # The short one is padded, with no unit and no weight.
    assert (crops.units[1, 8:] == PADDING).all()
    assert crops.mask[1].sum() == 8 * HOP
    assert not crops.real[1, 8 * HOP :].any()
    assert not crops.sources[1, :, 8 * HOP :].any()
    torch.testing.assert_close(crops.weights, torch.tensor([10 / 18, 8 / 18]))


def test_pitch_is_relative_to_the_speaker_or_for_an_unknown_one_to_itself() -> None:
    whole = corpus()
    reader = CropReader(whole, whole.training, PITCH)
    known, unknown = (reader.read([Draw(1, 0, 10, speaker, 1)]).pitch[0] for speaker in (1, UNKNOWN))
    voiced = known[:, 1] == 1
    assert voiced.any()
    shift = (known - unknown)[voiced, 0]
    torch.testing.assert_close(shift, shift[:1].expand_as(shift))
    assert float(shift[0]) == pytest.approx(np.log(110 / 200), abs=0.05)


def test_a_whispered_crop_has_no_pitch() -> None:
    whole = corpus()
    reader = CropReader(whole, whole.training, PITCH)
    whispered, spoken = (reader.read([Draw(1, 0, 10, 0, 1, loud)]) for loud in (True, False))
    assert spoken.pitch.any()
    assert not whispered.pitch.any()
    assert not whispered.sources[:, 0].any()
    torch.testing.assert_close(whispered.sources[:, 1], spoken.sources[:, 1])


def test_parts_have_the_weights_of_the_whole() -> None:
    whole = corpus()
    crops = CropReader(whole, whole.training, PITCH).read([Draw(number, 0, 8, 0, number) for number in range(5)])
    parts = list(crops.parts(2))
    assert [len(part) for part in parts] == [2, 2, 1]
    assert float(sum(part.weights.sum() for part in parts)) == pytest.approx(1.0)


def test_a_segment_without_pitch_is_refused_where_pitch_is_used() -> None:
    whole = corpus()
    plain = [
        type(speech_segment)(
            speech_segment.segment_id, speech_segment.group, speech_segment.units, speech_segment.audio
        )
        for speech_segment in whole.training
    ]
    with pytest.raises(UsageError, match=r"segment a#0 has no pitch"):
        CropReader(whole, plain, PITCH)
    crops = CropReader(whole, plain, None).read([Draw(0, 0, 5, 0, 0)])
    assert not crops.pitch.any()
    assert not crops.sources[:, 0].any()
