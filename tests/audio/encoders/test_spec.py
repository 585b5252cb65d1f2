import numpy as np
import pytest

from ossicle.audio.encoders.spec import EncoderSpec, refuse_waveforms


@pytest.mark.parametrize("shape", [(16000,), (1, 1, 16000), (2, 399)])
def test_what_is_no_batch_of_waveforms_is_refused(shape):
    with pytest.raises(ValueError, match="encoder hf needs"):
        refuse_waveforms(np.zeros(shape, np.float32), EncoderSpec("hf", rate=16000, dim=3, least_samples=400))
