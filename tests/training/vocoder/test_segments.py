import numpy as np
import pytest

from ossicle.core.errors import AudioError, OssicleError, UsageError
from ossicle.training.vocoder.segments import SpeechSegment, VocoderCorpus, first_sample, whole_hop

from .made_up_speech import HOP, ORIGIN_S, RATE, K, corpus


def of_samples(samples: np.ndarray, n: int = 5, origin_s: float = ORIGIN_S) -> tuple[VocoderCorpus, SpeechSegment]:
    speech_segment = SpeechSegment("s#0", "s", np.zeros(n, np.int64), lambda: samples.astype(np.float32))
    return VocoderCorpus([speech_segment], [speech_segment], K, HOP / RATE, origin_s, RATE), speech_segment


def test_unit_i_is_the_sound_half_a_hop_around_the_centre_of_its_frame() -> None:
    # A click at the centre of frame 3 is in the middle of unit 3, to the sample.
    samples = np.zeros(2000)
    samples[round((ORIGIN_S + 3 * HOP / RATE) * RATE)] = 1.0
    made, segment = of_samples(samples)
    sound, known = made.aligned(segment)
    assert np.flatnonzero(sound).tolist() == [3 * HOP + HOP // 2]
    assert (len(sound), known) == (5 * HOP, 5 * HOP)
    assert first_sample(0.02, 0.0125, 16000) == 40


def test_what_is_before_or_after_the_recording_is_silent_and_does_not_count() -> None:
    made, segment = of_samples(np.ones(4 * HOP + 20))
    sound, known = made.aligned(segment)
    assert known == 4 * HOP
    assert sound[:known].all()
    assert not sound[known:].any()
    early, segment = of_samples(np.ones(2000), origin_s=0.0)
    sound, known = early.aligned(segment)
    assert np.flatnonzero(sound)[0] == HOP // 2
    assert known == 5 * HOP


def test_sound_that_cannot_be_used_is_an_error_that_names_the_segment() -> None:
    short, segment = of_samples(np.ones(HOP))
    with pytest.raises(OssicleError, match=r"segment s#0: 160 samples of sound for 5 units"):
        short.aligned(segment)
    bad, segment = of_samples(np.full(2000, np.nan))
    with pytest.raises(OssicleError, match=r"segment s#0: .* finite"):
        bad.aligned(segment)

    def unreadable() -> np.ndarray:
        raise AudioError("tape.wav: cannot be read")

    made, _ = of_samples(np.ones(2000))
    with pytest.raises(AudioError, match=r"tape\.wav"):
        made.aligned(SpeechSegment("t#0", "s", np.zeros(2, np.int64), unreadable))


def test_a_unit_of_no_whole_number_of_samples_is_refused() -> None:
    with pytest.raises(UsageError, match=r"\[vocoder\] rate"):
        whole_hop(0.02, 11025)
    with pytest.raises(UsageError, match="a whole number"):
        corpus(hop_s=0.0201)


def test_a_corpus_of_nothing_is_refused() -> None:
    whole = corpus()
    for empty in ("training", "choosing"):
        with pytest.raises(UsageError, match="no segment with units"):
            corpus(**{empty: []})
    speech_segment = whole.training[0]
    assert speech_segment.f0_hz is not None
    wrong = SpeechSegment("w#0", "a", speech_segment.units, speech_segment.audio, speech_segment.f0_hz[:-1])
    with pytest.raises(UsageError, match="segment w#0"):
        corpus(training=[wrong])
    with pytest.raises(UsageError, match="from 0 to 1"):
        corpus(k=2)
