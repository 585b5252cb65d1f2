import csv
import os
import unicodedata
import wave
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.core.digest import digest, recording_id
from ossicle.core.errors import FormatError, UsageError
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.raven import write_raven
from ossicle.corpus.indexing.corpus_index import STEP_VERSION, CorpusIndex, index_corpus
from ossicle.corpus.indexing.index_storage import read_index, write_index
from ossicle.corpus.indexing.settings import CorpusSettings
from ossicle.corpus.naming.file_listing import files_below

RATE = 8000


def sound(path: Path, seconds: float = 2.0, seed: int = 0, level: float = 0.1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).standard_normal(int(seconds * RATE)) * level
    soundfile.write(path, np.clip(noise, -1, 1), RATE, format="FLAC" if path.suffix == ".flac" else "WAV")
    return path


def raven(path: Path, *spans: tuple[float, float], label: str = "call") -> Path:
    write_raven(path, [RawSelection(start, end, label) for start, end in spans])
    return path


def index(folder: Path, **kwargs) -> CorpusIndex:
    workers = kwargs.pop("workers", 2)
    group = kwargs.pop("group", "recording")
    settings = CorpusSettings(audio=str(folder / "audio"), **kwargs)
    tables = folder / "tables"
    return index_corpus(folder / "audio", tables if tables.exists() else None, settings, group=group, workers=workers)


def by_path(corpus_index: CorpusIndex) -> dict[str, list[tuple[float, float, str]]]:
    paths = {recording.id: recording.path for recording in corpus_index.recordings}
    out: dict[str, list[tuple[float, float, str]]] = {recording.path: [] for recording in corpus_index.recordings}
    for annotation in corpus_index.annotations:
        out[paths[annotation.recording_id]].append((annotation.start_s, annotation.end_s, annotation.label))
    return out


def kinds(corpus_index: CorpusIndex) -> list[tuple[str, str]]:
    return [(note.kind, note.where) for note in corpus_index.notes]


def test_names_with_dots_spaces_other_alphabets_equal_stems_and_upper_case(tmp_path):
    nfd = unicodedata.normalize("NFD", "Ålpaca")
    for seed, name in enumerate(["a/one.wav", "b/one.wav", "x.23_tape.flac", "Über mich 鳥.WAV", f"{nfd}.wav"]):
        sound(tmp_path / "audio" / name, seed=seed)
    raven(tmp_path / "tables/a/one.Table.1.selections.txt", (0.1, 0.2))
    raven(tmp_path / "tables/b/one.Table.1.selections.txt", (0.3, 0.4))
    raven(tmp_path / "tables/x.23_tape.Table.1.selections.txt", (0.5, 0.6))
    raven(tmp_path / "tables/sub/Über mich 鳥.Table.1.selections.txt")
    raven(tmp_path / "tables/Ålpaca.txt", (0.7, 0.8))
    corpus_index = index(tmp_path)
    assert by_path(corpus_index) == {
        "a/one.wav": [(0.1, 0.2, "call")],
        "b/one.wav": [(0.3, 0.4, "call")],
        "x.23_tape.flac": [(0.5, 0.6, "call")],
        "Über mich 鳥.WAV": [],
        f"{nfd}.wav": [(0.7, 0.8, "call")],
    }
    assert all(recording.reviewed for recording in corpus_index.recordings)
    assert (corpus_index.left_out, corpus_index.notes) == ((), ())
    assert {recording.id for recording in corpus_index.recordings} >= {recording_id("recordings", "Ålpaca.wav")}
    assert [recording.path for recording in corpus_index.recordings] == sorted(
        recording.path for recording in corpus_index.recordings
    )


def test_the_result_does_not_depend_on_workers_and_survives_the_disk(tmp_path):
    for seed in range(6):
        sound(tmp_path / f"audio/s{seed}_20250610_0{seed}0000.wav", seed=seed)
        raven(tmp_path / f"tables/s{seed}_20250610_0{seed}0000.txt", (0.1 * seed, 1.0))
    (tmp_path / "audio/bad.wav").write_bytes(b"no audio at all")
    corpus_index, many = index(tmp_path, workers=1), index(tmp_path, workers=4)
    assert corpus_index == many
    write_index(corpus_index, CorpusFolder(tmp_path / "out"))
    write_index(many, CorpusFolder(tmp_path / "again"))
    assert read_index(CorpusFolder(tmp_path / "out")) == corpus_index
    for name in os.listdir(tmp_path / "out"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_a_bad_file_costs_only_itself(tmp_path):
    good = sound(tmp_path / "audio/good.wav")
    (tmp_path / "audio/empty.wav").write_bytes(b"")
    (tmp_path / "audio/text.wav").write_text("this is no audio\n" * 50)
    (tmp_path / "audio/cut.wav").write_bytes(good.read_bytes()[: 44 + 2 * RATE])
    soundfile.write(tmp_path / "audio/nan.wav", np.array([0.1, np.nan, 0.2] * 100), RATE, subtype="FLOAT")
    soundfile.write(tmp_path / "audio/silent.wav", np.zeros(RATE), RATE)
    (tmp_path / "audio/gone.wav").symlink_to(tmp_path / "nowhere.wav")
    raven(tmp_path / "tables/text.txt", (0.1, 0.2))
    raven(tmp_path / "tables/cut.txt", (0.5, 1.5), (1.6, 1.8))
    corpus_index = index(tmp_path)
    status = {recording.path: recording.status for recording in corpus_index.recordings}
    assert status == {"good.wav": "ok", "cut.wav": "partial", "silent.wav": "silent"}
    assert [left_out.path for left_out in corpus_index.left_out] == ["empty.wav", "gone.wav", "nan.wav", "text.wav"]
    assert all(left_out.reason and str(tmp_path / "audio") not in left_out.reason for left_out in corpus_index.left_out)
    cut = next(recording for recording in corpus_index.recordings if recording.path == "cut.wav")
    assert (cut.duration_s, bool(cut.reason)) == (1.0, True)
    assert by_path(corpus_index)["cut.wav"] == [(0.5, 1.0, "call")]
    assert sorted(kinds(corpus_index)) == [
        ("annotations_left_out", "text.wav"),
        ("beyond_end", "cut.wav"),
        ("clipped", "cut.wav"),
    ]


def test_folders_that_are_missing_or_empty_are_named(tmp_path):
    with pytest.raises(UsageError, match=r"corpus\.audio.*audio"):
        index(tmp_path)
    (tmp_path / "audio").mkdir()
    with pytest.raises(UsageError, match="contains no audio files"):
        index(tmp_path)
    sound(tmp_path / "audio/a.wav")
    with pytest.raises(UsageError, match=r"corpus\.annotations.*none"):
        index_corpus(tmp_path / "audio", tmp_path / "none", CorpusSettings(audio="audio"))
    (tmp_path / "audio/a.wav").write_bytes(b"x")
    with pytest.raises(UsageError, match=r"a\.wav"):
        index(tmp_path)


def test_an_ambiguous_flat_table_stops_the_index(tmp_path):
    sound(tmp_path / "audio/a/one.wav")
    sound(tmp_path / "audio/b/one.wav", seed=1)
    table = raven(tmp_path / "tables/one.Table.1.selections.txt", (0.1, 0.2))
    with pytest.raises(FormatError, match=r"a/one\.wav or b/one\.wav"):
        index(tmp_path)
    write_raven(table, [RawSelection(0.1, 0.2, "call")], audio_name="D:/rec/b/one.wav")
    assert by_path(index(tmp_path)) == {"a/one.wav": [], "b/one.wav": [(0.1, 0.2, "call")]}


def test_all_malformed_tables_are_reported_at_once(tmp_path):
    for name in "ab":
        sound(tmp_path / f"audio/{name}.wav", seed=ord(name))
        raven(tmp_path / f"tables/{name}.txt", (0.1, 0.2))
    for name in "ab":
        path = tmp_path / f"tables/{name}.txt"
        path.write_text(path.read_text().replace("0.200000", "oops"))
    with pytest.raises(FormatError) as caught:
        index(tmp_path)
    assert "a.txt, line 2" in str(caught.value)
    assert "b.txt, line 2" in str(caught.value)


def test_tables_that_match_nothing_are_listed(tmp_path):
    sound(tmp_path / "audio/a.wav")
    raven(tmp_path / "tables/other.Table.1.selections.txt", (0.1, 0.2))
    raven(tmp_path / "tables/void.Table.1.selections.txt")
    (tmp_path / "tables/readme.txt").write_text("Notes about the survey.\n")
    (tmp_path / "tables/sites.csv").write_text("site,latitude\nA,1\n")
    corpus_index = index(tmp_path)
    assert set(kinds(corpus_index)) == {
        ("unmatched_rows", "other.Table.1.selections.txt"),
        ("unmatched_table", "other.Table.1.selections.txt"),
        ("unmatched_table", "void.Table.1.selections.txt"),
        ("not_annotations", "readme.txt"),
        ("not_annotations", "sites.csv"),
    }
    assert not any(recording.reviewed for recording in corpus_index.recordings)


def test_one_table_over_many_files(tmp_path):
    for name in "abc":
        sound(tmp_path / f"audio/{name}.wav", seed=ord(name))
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables/all.tsv").write_text(
        "filename\tonset\toffset\tevent_label\na.wav\t0.5\t1\twren\nb.wav\t\t\t\nz.wav\t1\t2\twren\n"
    )
    corpus_index = index(tmp_path)
    assert by_path(corpus_index)["a.wav"] == [(0.5, 1.0, "wren")]
    assert {recording.path: recording.reviewed for recording in corpus_index.recordings} == {
        "a.wav": True,
        "b.wav": True,
        "c.wav": False,
    }
    assert kinds(corpus_index) == [("unmatched_rows", "all.tsv")]
    single = index_corpus(tmp_path / "audio", tmp_path / "tables/all.tsv", CorpusSettings(audio="audio"))
    assert single == corpus_index


def test_audacity_tables_and_several_for_one_recording(tmp_path):
    sound(tmp_path / "audio/a.wav")
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables/a.txt").write_text("0.5\t0.75\twren\n")
    raven(tmp_path / "tables/a.Table.1.selections.txt", (1.0, 1.25))
    assert by_path(index(tmp_path))["a.wav"] == [(0.5, 0.75, "wren"), (1.0, 1.25, "call")]


def test_fields_groups_and_names_that_do_not_fit(tmp_path):
    for seed, name in enumerate(["siteA_20250610_050000", "siteB_x", "odd"]):
        sound(tmp_path / f"audio/deep/er/{name}.wav", seed=seed)
    corpus_index = index(tmp_path, name_template="site{site}_*", group="site")
    assert [dict(recording.fields) for recording in corpus_index.recordings] == [
        {
            "recording": "deep/er/siteA_20250610_050000.wav",
            "folder": "deep",
            "site": "A",
            "start_time": "2025-06-10T05:00:00",
        },
        {"recording": "deep/er/siteB_x.wav", "folder": "deep", "site": "B"},
    ]
    assert [(left_out.path, "site" in left_out.reason) for left_out in corpus_index.left_out] == [
        ("deep/er/odd.wav", True)
    ]
    kept = index(tmp_path, name_template="site{site}_*")
    assert kinds(kept) == [("name_template", "deep/er/odd.wav")]
    with pytest.raises(UsageError, match=r"split\.group.*'tape'.*name_template"):
        index(tmp_path, name_template="site{site}_*", group="tape")


def test_several_templates_and_what_none_of_them_reads(tmp_path):
    for seed, name in enumerate(["siteA_1", "zf_R3406", "zf_R3406_2", "odd"]):
        sound(tmp_path / f"audio/{name}.wav", seed=seed)
        raven(tmp_path / f"tables/{name}.Table.1.selections.txt", (0.1, 0.2))
    corpus_index = index(tmp_path, name_template="site{bird}_*", group="bird")
    assert [left_out.path for left_out in corpus_index.left_out] == ["odd.wav", "zf_R3406.wav", "zf_R3406_2.wav"]
    assert "does not match 'site{bird}_*', so its bird is unknown" in corpus_index.left_out[0].reason
    assert "add a template to corpus.name_template" in corpus_index.left_out[0].reason
    both = index(tmp_path, name_template=("site{bird}_*", "zf_{bird}_*", "zf_{bird}"), group="bird")
    assert [recording.fields["bird"] for recording in both.recordings] == ["A", "R3406", "R3406"]
    assert [left_out.path for left_out in both.left_out] == ["odd.wav"]
    other = index(tmp_path, name_template=("site{site}_*", "zf_{bird}"), group="site")
    assert "matches any of 'site{site}_*', 'zf_{bird}' without the field 'site'" in other.left_out[1].reason
    with pytest.raises(
        UsageError, match=r"'tape'.*correct corpus\.name_template = \['site\{site\}_\*', 'zf_\{bird\}'\]"
    ):
        index(tmp_path, name_template=("site{site}_*", "zf_{bird}"), group="tape")


def test_folders_as_labels(tmp_path):
    sound(tmp_path / "audio/dog/1.wav", seconds=1.5)
    sound(tmp_path / "audio/rain/1.wav", seed=1)
    corpus_index = index(tmp_path, label_field="folder")
    assert by_path(corpus_index) == {"dog/1.wav": [(0.0, 1.5, "dog")], "rain/1.wav": [(0.0, 2.0, "rain")]}
    assert all(recording.reviewed for recording in corpus_index.recordings)


def test_labels_that_are_kept_and_missed(tmp_path):
    sound(tmp_path / "audio/a.wav")
    raven(tmp_path / "tables/a.txt", (0.1, 0.2), (0.3, 0.4), label="wren")
    corpus_index = index(tmp_path, labels=("robin",))
    assert kinds(corpus_index) == [("label_not_kept", "wren"), ("label_not_found", "robin")]
    assert corpus_index.annotations == ()


def test_copies_links_and_hidden_files(tmp_path):
    first = sound(tmp_path / "audio/a.wav")
    (tmp_path / "audio/sub").mkdir()
    (tmp_path / "audio/sub/copy.wav").write_bytes(first.read_bytes())
    (tmp_path / "audio/._a.wav").write_bytes(b"\0\5\26\7")
    (tmp_path / "audio/sub/loop").symlink_to(tmp_path / "audio")
    (tmp_path / "audio/link.wav").symlink_to(sound(tmp_path / "elsewhere.wav", seed=9))
    corpus_index = index(tmp_path)
    assert [recording.path for recording in corpus_index.recordings] == ["a.wav", "link.wav", "sub/copy.wav"]
    assert kinds(corpus_index) == [("duplicate", "a.wav")]
    assert files_below(tmp_path / "audio", {".txt"}) == []


def test_a_name_that_is_no_text_is_left_out(tmp_path):
    sound(tmp_path / "audio/a.wav")
    raw = os.fsencode(tmp_path / "audio") + b"/b\xff.wav"
    try:
        Path(os.fsdecode(raw)).write_bytes((tmp_path / "audio/a.wav").read_bytes())
    except OSError:
        pytest.skip("this file system refuses names that are not UTF-8")
    (tmp_path / "tables").mkdir()
    Path(os.fsdecode(os.fsencode(tmp_path / "tables") + b"/b\xff.txt")).write_text("0\t1\tx\n")
    corpus_index = index(tmp_path)
    assert [left_out.path for left_out in corpus_index.left_out] == ["b\\xff.wav"]
    assert kinds(corpus_index) == [("table_not_read", "b\\xff.txt")]
    write_index(corpus_index, CorpusFolder(tmp_path / "out"))
    assert read_index(CorpusFolder(tmp_path / "out")) == corpus_index


def test_golden_index(tmp_path):
    """When this fails because the index changed on purpose, raise STEP_VERSION and pin the new digest."""
    (tmp_path / "audio/deep").mkdir(parents=True)
    for count, name in enumerate(["siteA_20250610_050000.1.wav", "deep/siteB_20250611_060000.WAV"], start=1):
        with wave.open(str(tmp_path / "audio" / name), "wb") as out:
            out.setnchannels(count)
            out.setsampwidth(2)
            out.setframerate(RATE)
            out.writeframes((np.arange(RATE * count) % 256 * 64).astype("<i2").tobytes())
    raven(tmp_path / "tables/siteA_20250610_050000.1.txt", (0.25, 0.5), (0.75, 2.0))
    (tmp_path / "tables/siteB_20250611_060000.txt").write_text("0.125\t0.25\twren\n\\\t100\t2000\n")
    corpus_index = index(tmp_path, name_template="site{site}_*", group="site")
    values = [*map(asdict, corpus_index.recordings), *map(asdict, corpus_index.annotations), kinds(corpus_index)]
    assert (STEP_VERSION, digest(values)) == (21, "5cacd7402c449fbfe253c6ef975957d2f637aea6571bd0d533d07a730756f23d")


def test_without_decoding_headers_decide(tmp_path):
    sound(tmp_path / "audio/a.wav")
    progress: list[tuple[int, int]] = []
    settings = CorpusSettings(audio="audio", decode=False)
    corpus_index = index_corpus(tmp_path / "audio", None, settings, progress=lambda *done: progress.append(done))
    assert corpus_index.levels == {}
    assert corpus_index.recordings[0].duration_s == 2.0
    assert progress == [(1, 1)]


def real(name: str) -> Path:
    here = Path(os.environ.get("OSSICLE_TEST_DATA") or Path(__file__).parents[4] / "shared/data") / name
    if not here.is_dir():
        pytest.skip(f"the real recordings are not there: {here} (set OSSICLE_TEST_DATA)")
    return here


def counted(folder: Path) -> dict[str, int]:
    """Rows of each table by plain means."""
    out = {}
    for path in folder.glob("*.txt"):
        with path.open(newline="") as handle:
            out[path.name.replace(".Table.1.selections.txt", "")] = len(list(csv.DictReader(handle, delimiter="\t")))
    return out


@pytest.mark.real
@pytest.mark.parametrize(("name", "files"), [("tapes", 10), ("finch_song", 55)])
def test_real_corpora(name, files):
    folder = real(name)
    template = {"name_template": "site{site}_{date}_{time}_tape"} if name == "tapes" else {}
    group = "site" if name == "tapes" else "recording"
    settings = CorpusSettings(audio="audio", decode=False, **template)
    corpus_index = index_corpus(folder / "audio", folder / "selections", settings, group=group, workers=2)
    expected = counted(folder / "selections")
    assert len(corpus_index.recordings) == len(expected) == files
    assert {Path(path).stem: len(rows) for path, rows in by_path(corpus_index).items()} == expected
    assert (corpus_index.left_out, corpus_index.notes) == ((), ())
    assert all(recording.reviewed for recording in corpus_index.recordings)
    if name == "tapes":
        assert expected["siteD_20250613_052100.23_tape"] > 0
        assert {recording.fields["site"] for recording in corpus_index.recordings} == set("ABCD")
