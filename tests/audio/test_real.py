"""Every kind of real recording decodes whole and without complaint."""

import os
from pathlib import Path

import numpy as np
import pytest

from ossicle.audio.decoding.mono import MonoStream, load_mono
from ossicle.audio.probe import SUFFIXES

DATA = Path(os.environ.get("OSSICLE_TEST_DATA") or Path(__file__).parents[3] / "shared" / "data")


@pytest.mark.real
@pytest.mark.skipif(not DATA.is_dir(), reason="no real recordings: set OSSICLE_TEST_DATA to their folder")
def test_one_recording_in_forty():
    paths = sorted(path for path in DATA.rglob("*") if path.suffix.lower() in SUFFIXES)
    assert paths
    for path in paths[::40]:
        stream = MonoStream(path, 16000)
        samples = np.concatenate(list(stream))
        assert stream.report.status == "ok", path
        assert stream.report.n_samples == stream.info.n_samples, path
        if stream.info.codec != "aac":
            start, stop = len(samples) // 3, len(samples) // 2
            crop = load_mono(path, 16000, start / 16000, (stop - start) / 16000)
            np.testing.assert_allclose(crop, samples[start:stop], atol=1e-4, err_msg=str(path))
