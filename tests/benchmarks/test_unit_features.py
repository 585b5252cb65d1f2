"""Speech with known words: frames of the baseline and of ours, normalised by speaker."""

from pathlib import Path

import numpy as np


def test_frames_of_the_baseline_and_by_speaker(tmp_path: Path) -> None:
    from bench_units_digits import read_speech
    from stand_ins import make_spoken_digits
    from unit_features import baseline_frames, encoded, normalised

    from ossicle.audio.encoders.frames.mfcc import MfccEncoder

    make_spoken_digits(tmp_path / "digits")
    speech = read_speech(tmp_path / "digits", most=1)
    assert (len(speech.files), speech.held_out, len(speech.words)) == (40, ["anna", "ben", "cleo", "dan"], 40)
    plain = baseline_frames(speech)
    assert {one.shape for one in plain.values()} == {(14, 26)}
    np.testing.assert_allclose([one[:, :13].mean(axis=0) for one in plain.values()], 0, atol=1e-4)
    ours = normalised(encoded(speech, MfccEncoder()), speech.speakers, "group")
    of_ben = np.concatenate([one for key, one in ours.items() if speech.speakers[key] == "ben"])
    np.testing.assert_allclose(of_ben.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(of_ben.std(axis=0), 1, atol=1e-3)
