from pathlib import PurePosixPath

import pytest

from ossicle.core.errors import FormatError
from ossicle.corpus.naming.table_names import recording_name, stem_without_word, table_places, table_stems


@pytest.mark.parametrize(
    ("table", "recording"),
    [
        ("tape.txt", "tape"),
        ("tape.Table.2.selections.txt", "tape"),
        ("tape.selections.txt", "tape"),
        ("deep/night.23_tape.Table.1.selections.txt", "deep/night.23_tape"),
        ("a/x.BirdNET.selection.table.txt", "a/x"),
        ("x.BirdNET.results.kaleidoscope.csv", "x"),
        ("x.BirdNET.results.csv", "x"),
        # A recording may have such a name itself.
        ("a/x_labels.txt", "a/x_labels"),
        ("dawn_selection.txt", "dawn_selection"),
        ("Label Track.txt", "Label Track"),
    ],
)
def test_the_recording_of_a_table(table: str, recording: str) -> None:
    assert recording_name(table) == recording
    assert table_stems(PurePosixPath(table).name)[-1] == PurePosixPath(recording).name


@pytest.mark.parametrize(
    ("table", "stem"),
    [
        ("x_labels.txt", "x"),
        ("20240601_041000 Label Track.txt", "20240601_041000"),
        ("x-annotations.csv", "x"),
        ("x_selections.txt", "x"),
        # Only one of both.
        ("x_labels.Table.1.selections.txt", ""),
        ("labels.txt", ""),
        ("Label Track.txt", ""),
        ("x_events.csv", ""),
    ],
)
def test_words_behind_the_name_of_a_recording(table: str, stem: str) -> None:
    assert stem_without_word(table) == stem


@pytest.mark.parametrize(
    ("files", "places"),
    [
        (["a/one.wav", "b/one.wav"], ["a/one", "b/one"]),
        (["x.wav", "x.flac", "y 1.2.WAV"], ["x.wav", "x.flac", "y 1.2"]),
        (["../../x.wav"], ["x"]),
        (["/data/site1/a.wav", "/data/site2/b.wav"], ["site1/a", "site2/b"]),
        (["C:\\tapes\\a.wav"], ["a"]),
        (["\\\\server\\share\\deep\\a.wav", "\\\\server\\share\\b.wav"], ["deep/a", "b"]),
        (["plain"], ["plain"]),
    ],
)
def test_no_table_leaves_its_folder(files: list[str], places: list[str]) -> None:
    assert {name: str(place) for name, place in table_places(files).items()} == dict(zip(files, places, strict=True))


def test_long_names_fit_a_file_system_and_stay_apart() -> None:
    places = table_places([f"{'n' * 300}{k}.wav" for k in range(2)])
    assert len(set(places.values())) == 2
    assert all(len(place.name.encode()) < 225 for place in places.values())


@pytest.mark.parametrize("files", [["/"], [".."], ["a/x.wav", "a/./x.wav"]])
def test_names_without_a_place_are_refused(files: list[str]) -> None:
    with pytest.raises(FormatError, match="rename"):
        table_places(files)


def test_a_name_that_is_not_utf8_is_refused_and_shown_as_in_urls() -> None:
    with pytest.raises(FormatError, match=r"a/S%FCd.wav: the name is not UTF-8; rename the file"):
        table_places(["b.wav", "a/S\udcfcd.wav"])
