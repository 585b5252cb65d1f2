import fnmatch
import re
import time
import unicodedata

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from ossicle.app.api.audio_files import find_audio, skipped_lines, unread_lines
from ossicle.core.errors import UsageError
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.raven import write_raven
from ossicle.corpus.health.findings import find_problems
from ossicle.corpus.indexing.corpus_index import index_corpus
from ossicle.corpus.indexing.file_selection import audio_files, skipped_audio, sliver, unread_audio
from ossicle.corpus.indexing.segment_names import find_cut_outs
from ossicle.corpus.indexing.settings import CorpusSettings
from ossicle.corpus.naming.globs import Globs

PATHS = ("siteA/a.wav", "siteA/june/b.wav", "siteB/a.wav", "siteB/june/c.flac", "top.wav")


@pytest.fixture
def folder(tmp_path):
    for number, path in enumerate(PATHS):
        file = tmp_path / "audio" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(number).standard_normal(4000) * 0.1
        soundfile.write(file, noise, 8000, format="FLAC" if file.suffix == ".flac" else "WAV")
        table = (tmp_path / "tables" / path).with_suffix(".Table.1.selections.txt")
        table.parent.mkdir(parents=True, exist_ok=True)
        write_raven(table, [RawSelection(0.1, 0.2, "call")])
    return tmp_path


@pytest.mark.parametrize(
    ("include", "exclude", "left"),
    [
        ((), (), PATHS),
        (("siteA",), (), PATHS[:2]),
        (("siteA/**",), (), PATHS[:2]),
        (("siteA/*",), (), PATHS[:2]),
        (("siteA/*.wav",), (), PATHS[:1]),
        (("**/a.wav",), (), (PATHS[0], PATHS[2])),
        (("*.wav",), (), PATHS[4:]),
        (("**/june",), (), (PATHS[1], PATHS[3])),
        (("site[!A]/**",), (), PATHS[2:4]),
        (("site?",), ("**/june/*.flac",), PATHS[:3]),
        ((), ("site*",), PATHS[4:]),
        (("siteA", "top.wav"), ("siteA/june",), (PATHS[0], PATHS[4])),
        (("SITEA", "siteB"), (), PATHS[2:4]),
    ],
)
def test_globs_choose_recordings(folder, include, exclude, left):
    files = audio_files(folder / "audio", include, exclude)
    assert (files.listed, files.chosen) == (PATHS, left)
    settings = CorpusSettings(audio="audio", include=include, exclude=exclude)
    index = index_corpus(folder / "audio", folder / "tables", settings)
    assert tuple(recording.path for recording in index.recordings) == left
    assert len(index.annotations) == len(left)
    assert "unmatched_table" not in {note.kind for note in index.notes}


def test_two_projects_divide_the_sites_of_one_folder(folder):
    train = audio_files(folder / "audio", exclude=("siteB",)).chosen
    benchmark = audio_files(folder / "audio", include=("siteB",)).chosen
    assert not set(train) & set(benchmark)
    assert set(train) | set(benchmark) == set(PATHS)


def test_globs_that_leave_nothing_or_fit_nothing_are_told(folder):
    with pytest.raises(UsageError) as refused:
        audio_files(folder / "audio", ("siteC",), ())
    assert "corpus.include = ['siteC']" in str(refused.value)
    assert "none of the 5 audio files" in str(refused.value)
    assert "'siteA/a.wav'" in str(refused.value)
    settings = CorpusSettings(
        audio="audio", include=("siteA", "sietB"), exclude=("siteA/a.wav", "siteA/*.wav", "nowhere")
    )
    index = index_corpus(folder / "audio", folder / "tables", settings)
    idle = [(note.where, note.message) for note in index.notes if note.kind == "glob_unused"]
    assert idle == [
        ("corpus.include", "'sietB' matches no audio file"),
        ("corpus.exclude", "'nowhere' matches no audio file"),
    ]
    codes = {problem.code for problem in find_problems(index, rate=8000, group="recording", short_gap_shares={})}
    assert {"glob_unused", "not_chosen"} <= codes


@pytest.mark.parametrize("glob", ["", "/abs/*", "../up", "a/../b", "site[z-a]"])
def test_globs_that_can_fit_nothing_are_refused(glob):
    with pytest.raises(ValueError, match=r"(include|exclude): the glob .*" + re.escape(repr(glob))):
        CorpusSettings(audio="audio", include=(glob,))
    with pytest.raises(ValueError, match="exclude: the glob"):
        CorpusSettings(audio="audio", exclude=("fine", glob))


def test_letters_composed_and_decomposed_are_the_same_and_windows_slashes_are_slashes():
    nfd = unicodedata.normalize("NFD", "Zoë")
    assert Globs(["Zoë/*"]).match(f"{nfd}/a.wav") == "Zoë/*"
    assert Globs([f"{nfd}\\*"]).match("Zoë/a.wav") is not None


pieces = st.text(st.sampled_from("ab.*?_"), min_size=1, max_size=4).filter(lambda text: "**" not in text)
globs = st.lists(st.one_of(pieces, st.just("**")), min_size=1, max_size=4)
paths = st.lists(st.text(st.sampled_from("ab._"), min_size=1, max_size=3), min_size=1, max_size=4)


def slow(glob: list[str], path: list[str]) -> bool:
    """Part by part: ``**`` takes any number of parts, at the end of a glob at least one."""
    if not glob:
        return not path
    if glob[0] == "**":
        if len(glob) == 1:
            return len(path) > 0
        return any(slow(glob[1:], path[count:]) for count in range(len(path) + 1))
    return bool(path) and fnmatch.fnmatchcase(path[0], glob[0]) and slow(glob[1:], path[1:])


@given(globs, paths)
def test_globs_agree_with_matching_part_by_part(glob, path):
    if ".." in glob:
        return
    expected = any(slow(glob, path[: depth + 1]) for depth in range(len(path)))
    assert (Globs(["/".join(glob)]).match("/".join(path)) is not None) == expected


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=30), st.integers(1, 40))
def test_a_sliver_is_of_every_folder_alike(folders: list[str], most: int) -> None:
    paths = sorted(f"{folder}/{number}.wav" for number, folder in enumerate(folders))
    chosen = sliver(paths, most)
    assert chosen == sorted(chosen)
    assert set(chosen) <= set(paths)
    assert len(chosen) == min(most, len(paths))
    counts = {folder: sum(path.startswith(folder) for path in chosen) for folder in set(folders)}
    for folder, count in counts.items():
        # One that gave fewer than another has nothing left.
        assert count >= max(counts.values()) - 1 or count == folders.count(folder)


def test_many_wildcards_need_no_longer() -> None:
    began = time.process_time()
    deep = "/".join("a" * 200) + "/x.wav"
    for glob in ("**/" * 12 + "zz", "/".join(["**/a"] * 12) + "/zz", "*a" * 40 + "b", "**a" * 40 + "b", "a**b" * 300):
        assert Globs([glob]).match(deep) is None
    assert Globs(["/".join(["**/a"] * 12) + "/**/*.wav"]).match(deep) is not None
    assert Globs(["?" * 200]).match("a" * 200) is not None
    assert time.process_time() - began < 2.0


def test_absurd_globs_are_refused() -> None:
    with pytest.raises(ValueError, match="is longer than 4096 characters"):
        Globs(["a" * 5000])
    with pytest.raises(ValueError, match="1001 globs are more than 1000"):
        Globs(["a"] * 1001)


def test_recordings_in_formats_that_are_not_read_are_named(folder):
    assert unread_audio(folder / "audio") == ""
    for name in ("siteA/x.VOC", "siteB/y.sph", "siteA/a.sud", "siteA/notes.txt", "old/z.voc"):
        (folder / "audio" / name).parent.mkdir(exist_ok=True)
        (folder / "audio" / name).write_bytes(b"x")
    # siteA/a.wav was made of siteA/a.sud.
    message = unread_audio(folder / "audio", ["old/"])
    assert message == "2 files (siteA/x.VOC) with the suffix .sph, .voc; convert to WAV or FLAC"
    assert unread_audio(folder / "audio").startswith("3 files (old/z.voc)")
    assert audio_files(folder / "audio").listed == tuple(sorted(PATHS))


def test_a_file_beside_a_recording_of_the_same_name_is_skipped_and_named(folder):
    """A video beside its sound made their table ambiguous, and counted as a second recording."""
    audio = folder / "audio"
    for name in ("siteA/a.mov", "siteA/a.WV", "siteB/b.mov", "top.snd"):
        (audio / name).write_bytes((audio / "top.wav").read_bytes())
    files = audio_files(audio)
    # siteA/june/b.wav is in another folder, so siteB/b.mov is a recording of its own.
    assert files.listed == tuple(sorted((*PATHS, "siteB/b.mov")))
    assert files.skipped == ("siteA/a.WV", "siteA/a.mov", "top.snd")
    index = index_corpus(audio, folder / "tables", CorpusSettings(audio="audio", exclude=("siteA/a.WV",)))
    assert [recording.path for recording in index.recordings] == sorted((*PATHS, "siteB/b.mov"))
    assert len(index.annotations) == len(PATHS)
    notes = [(note.where, note.message) for note in index.notes if note.kind == "beside_recording"]
    why = "beside recordings of the same name were skipped; rename those that are other recordings"
    assert notes == [("siteA/a.mov", f"2 files, beginning with this one, {why}")]
    assert skipped_audio(audio) == f"3 files (siteA/a.WV) {why}"
    assert skipped_audio(audio, ["siteA/a.*"]).startswith("1 file (top.snd) beside a recording of the same name was")
    assert unread_audio(audio) == skipped_audio(audio, ["*.snd", "siteA"]) == ""
    assert [name for name, _ in find_audio([audio])] == list(files.listed)
    assert skipped_lines([audio]) == [f"{audio}: skipped: {skipped_audio(audio)}"]
    assert unread_lines([audio]) == []


def test_a_cut_out_beside_its_video_is_one_segment(tmp_path):
    for name in ("x_1_2.wav", "x_1_2.mov", "x_3_4.mov"):
        (tmp_path / name).write_bytes(b"x")
    cut_outs = find_cut_outs(tmp_path, ("{clip:*}_{start:#}_{end:#}",), "call")
    assert cut_outs is not None
    assert cut_outs[1] == ["x_1_2.wav", "x_3_4.mov"]
