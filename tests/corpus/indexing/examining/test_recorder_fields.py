"""Fields by the recorder: what they fill, what they leave, and the warning about time expansion."""

from pathlib import Path

import pytest
import soundfile

from ossicle.core.records import Recording
from ossicle.corpus.health.report import health
from ossicle.corpus.indexing.corpus_index import index_corpus
from ossicle.corpus.indexing.examining.recorder_fields import with_recorder
from ossicle.corpus.indexing.metadata_table import MetadataSettings
from ossicle.corpus.indexing.settings import CorpusSettings

from ....audio.audio_bytes import chunk, noise, pcm, riff, wave_format

GUANO = "GUANO|Version: 1.0\nTimestamp: 2026-06-08T22:00:00+02:00\nTE: {te}\nStation: Wood\nTemperature Int: 14.5\n"


def write(path: Path, te: int = 10, seed: int = 0) -> None:
    guano = chunk(b"guan", GUANO.format(te=te).encode())
    path.write_bytes(riff(chunk(b"fmt ", wave_format()), chunk(b"data", pcm(noise(16000, seed))), guano))


def index(folder: Path, table: Path | None = None, **settings: object):
    return index_corpus(folder, None, CorpusSettings(audio="audio", **settings), metadata_table=table)


@pytest.mark.parametrize("decode", [True, False])
def test_metadata_become_fields_and_an_expansion_is_a_warning(tmp_path: Path, decode: bool) -> None:
    write(tmp_path / "te10.wav")
    write(tmp_path / "te1.wav", 1, 1)
    soundfile.write(tmp_path / "plain.wav", noise(16000, 2), 16000)
    corpus_index = index(tmp_path, decode=decode)
    fields = {recording.path: dict(recording.fields) for recording in corpus_index.recordings}
    assert fields["te10.wav"] == {
        "recording": "te10.wav",
        "folder": ".",
        "start_time": "2026-06-08T22:00:00+02:00",
        "site": "Wood",
        "temperature_c": "14.5",
        "time_expansion": "10",
    }
    assert fields["plain.wav"] == {"recording": "plain.wav", "folder": "."}
    problems = [problem for problem in health(corpus_index, rate=16000).problems if problem.code == "time_expansion"]
    assert [(problem.severity, problem.where) for problem in problems] == [("warning", "te10.wav")]
    assert "slowed down 10 times" in problems[0].message


def sites(corpus_index) -> dict[str, str]:
    return {recording.path: recording.fields["site"] for recording in corpus_index.recordings}


def test_names_and_tables_count_before_the_recorder(tmp_path: Path) -> None:
    audio = tmp_path / "audio"
    audio.mkdir()
    write(audio / "siteMarsh_1.wav")
    write(audio / "other.wav", seed=1)
    (tmp_path / "table.csv").write_text("filename,site\nother.wav,Hill\n")
    corpus_index = index(audio, name_template="site{site}_*")
    assert {recording.path: recording.fields["site"] for recording in corpus_index.recordings} == {
        "siteMarsh_1.wav": "Marsh",
        "other.wav": "Wood",
    }
    settings = MetadataSettings(table="table.csv", file_column="filename", label_column="")
    corpus_index = index(audio, tmp_path / "table.csv", metadata=settings)
    assert sites(corpus_index) == {"siteMarsh_1.wav": "Wood", "other.wav": "Hill"}


def test_a_site_of_the_recorder_may_be_the_group(tmp_path: Path) -> None:
    write(tmp_path / "a.wav")
    corpus_index = index_corpus(tmp_path, None, CorpusSettings(audio="audio"), group="site")
    assert corpus_index.recordings[0].fields["site"] == "Wood"


@pytest.mark.parametrize(
    ("named", "recorded", "expected"),
    [
        ("", "2026-06-08T22:00:00+02:00", "2026-06-08T22:00:00+02:00"),
        ("2026-06-08T22:00:00", "2026-06-08T22:00:00+02:00", "2026-06-08T22:00:00+02:00"),
        ("2026-06-08T22:00:00", "2026-06-08T22:00:00.500+02:00", "2026-06-08T22:00:00.500+02:00"),
        ("2026-06-08T21:00:00", "2026-06-08T22:00:00+02:00", "2026-06-08T21:00:00"),
        ("2026-06-08T22:00:00+10:00", "2026-06-08T22:00:00+02:00", "2026-06-08T22:00:00+10:00"),
        ("night 3", "2026-06-08T22:00:00+02:00", "night 3"),
    ],
)
def test_a_start_in_the_name_counts_and_gets_its_zone_where_both_agree(
    named: str, recorded: str, expected: str
) -> None:
    fields = {"start_time": named} if named else {}
    recording = Recording("a", "r", "x.wav", 8000, 1, 10, "", fields=fields)
    assert with_recorder(recording, {"start_time": recorded}).fields["start_time"] == expected
    kept = with_recorder(recording, {"start_time": recorded}, is_clip=True).fields
    assert kept.get("start_time", "") == named
