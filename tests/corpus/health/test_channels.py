from pathlib import Path

import numpy as np
import soundfile

from ossicle.corpus.health.report import health
from ossicle.corpus.indexing.corpus_index import index_corpus
from ossicle.corpus.indexing.settings import CorpusSettings


def corpus(folder: Path) -> Path:
    noise = np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32)
    for name, samples in {
        "anti": np.stack([noise, -noise], 1),
        "two": np.stack([noise, np.roll(noise, 999)], 1),
        "one": noise,
    }.items():
        soundfile.write(folder / f"{name}.wav", samples, 8000, subtype="FLOAT")
    return folder


def test_health_names_channels_that_cancel_where_their_mean_is_read(tmp_path: Path) -> None:
    index = index_corpus(corpus(tmp_path), None, CorpusSettings(audio="audio"))
    problems = [problem for problem in health(index, rate=8000).problems if problem.code == "channels_cancel"]
    assert [(problem.severity, problem.where) for problem in problems] == [("warning", "anti.wav")]
    below = "channels cancel: their mean is 200 dB below the loudest channel"
    assert problems[0].message == f"{below}, in all or a part of the recording"
    assert "[audio] channel" in problems[0].remedy
    for channel in ("first", "2", "loudest"):
        index = index_corpus(tmp_path, None, CorpusSettings(audio="audio"), channel=channel)
        assert [recording.path for recording in index.recordings] == ["anti.wav", "one.wav", "two.wav"]
        assert not any(problem.code == "channels_cancel" for problem in health(index, rate=8000).problems)


def test_recordings_without_the_channel_are_left_out(tmp_path: Path) -> None:
    index = index_corpus(corpus(tmp_path), None, CorpusSettings(audio="audio"), channel="3")
    assert [recording.path for recording in index.recordings] == ["one.wav"]
    assert [left_out.path for left_out in index.left_out] == ["anti.wav", "two.wav"]
    reason = "has 2 channels, and [audio] channel = 3 is to be read"
    assert index.left_out[0].parted == (reason, "choose another channel, or leave it out")
