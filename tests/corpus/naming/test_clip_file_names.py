import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.core.records import Clip, Recording
from ossicle.corpus.naming.clip_file_names import class_names, name_clips, year_of

# What ANIMAL-SPOT reads of a name: the class, and year and tape as fourth and third part from the end.
STEM = re.compile(
    r"(?P<cls>[^-_]+)-(?P<kind>Q[0-4]|bg)_(?P<uid>[0-9a-f]{6})_(?P<year>\d{4})_(?P<tape>[^_/]+)_\d{7,}_\d{7,}"
)


def recording(path: str, **fields: str) -> Recording:
    return Recording(path, "tapes", path, 8000, 1, 8000, "d", True, fields=fields)


@pytest.mark.parametrize(
    ("path", "fields", "year"),
    [
        ("Luna_20250610_cut.wav", {}, "2025"),
        ("Luna_20250610_05.23_cut.wav", {}, "2025"),
        ("a/2019-05-04/night.flac", {}, "2019"),
        ("UNKN_x.wav", {"date": "20240131"}, "2024"),
        ("UNKN_x.wav", {"date": "2024-01-31"}, "2024"),
        ("UNKN_x.wav", {"start_time": "2023-06-13T05:21:00"}, "2023"),
        ("20180101_x.wav", {"year": "2017"}, "2017"),
        ("serial_99999999_x.wav", {}, "0000"),
        ("x_123420250610.wav", {}, "0000"),
        ("x_18880101.wav", {}, "0000"),
        ("x.wav", {}, "0000"),
    ],
)
def test_the_year_is_read(path: str, fields: dict[str, str], year: str) -> None:
    assert year_of(recording(path, **fields)) == year


def test_names_are_those_of_the_known_pipeline() -> None:
    tape = recording("b/siteD_20250613_052100.23_tape.flac")
    clips = [
        Clip(tape.id, 12.34, 12.87, "target", 0, "D", "hum"),
        Clip(tape.id, 100.0, 100.53, "noise", 0, "D"),
        Clip(tape.id, 5400.0004, 5400.5, "target", 0, "D", "hum"),
    ]
    stems = [named_clip.stem for named_clip in name_clips(clips, [tape], [3, None, None], ["hum"])]
    uid = [stem.split("_")[1] for stem in stems]
    assert stems == [
        f"target-Q3_{uid[0]}_2025_siteD-20250613-052100.23-tape_0012340_0012870",
        f"noise-bg_{uid[1]}_2025_siteD-20250613-052100.23-tape_0100000_0100530",
        f"target-Q0_{uid[2]}_2025_siteD-20250613-052100.23-tape_5400000_5400500",
    ]


names = st.text(st.characters(exclude_categories=()), min_size=1, max_size=40).filter(lambda one: "\0" not in one)


@given(st.lists(st.tuples(names, names, st.floats(0, 1e5), st.integers(0, 1)), min_size=1, max_size=8))
def test_hostile_names_become_plain_files_that_can_be_read_back(found: list[tuple[str, str, float, int]]) -> None:
    recordings = [recording(f"{path}.wav") for path, *_ in found]
    clips = [
        Clip(one.id, start, start + 1, "noise" if noise else "target", 0, "g", "" if noise else label)
        for one, (_, label, start, noise) in zip(recordings, found, strict=True)
    ]
    # The same clip twice, as doubled annotations give it.
    clips = [*clips, clips[0]]
    labels = {label for _, label, *_ in found}
    made = name_clips(clips, recordings, [None] * len(clips), labels)
    assert len({named_clip.stem.lower() for named_clip in made}) == len(clips)
    for named_clip in made:
        read = STEM.fullmatch(named_clip.stem)
        assert read is not None, named_clip.stem
        assert read["cls"] == named_clip.class_name
        assert (named_clip.class_name == "noise") == (named_clip.clip.role == "noise")
        assert len(named_clip.stem.encode()) < 250
        assert not any(mark in named_clip.stem for mark in "/\\\n\t\r\"'=<>|:*? ")
    classes = class_names(labels)
    assert len({one.lower() for one in classes.values()}) == len(classes)
