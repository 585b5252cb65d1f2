"""Names of clips and segments, and the times that they are names of."""

import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ossicle.core.errors import FormatError, UsageError
from ossicle.corpus.indexing.segment_names import SegmentNames
from ossicle.corpus.naming.clip_name_template import UNITS_S, ClipName, ClipNames

CLIPS = "{tape:*}.wav_{start:#}_{end:#}"
SEGMENTS = "{clip:*}_{start:#}_{end:#}Q{quality:1|2|3|4}"

# Anything that a file may be called, dots, spaces, underscores, digits and other alphabets among it.
names = st.text(
    st.characters(codec="utf-8", exclude_characters="/\\\0", exclude_categories=("Cs", "Cc", "Zl", "Zp")),
    min_size=1,
    max_size=20,
).map(lambda text: unicodedata.normalize("NFC", text))
tapes = st.one_of(names, st.sampled_from(["Luna_20250610_05.23_cut", "a_1_2", "x.wav_1_2", "Zoë B_20250611_am 1_cut"]))
units = st.sampled_from(sorted(UNITS_S))
# As the old scheme wrote them: whole minutes, or seconds as Python prints them.
offsets = st.one_of(
    st.integers(0, 10**5), st.floats(0, 1e5, allow_nan=False), st.integers(0, 10**7).map(lambda n: n / 100)
)


@given(tapes, offsets, offsets, units)
def test_a_clip_s_name_gives_its_tape_and_times_back(tape, start, end, unit):
    assume(end > start)
    clip_name = ClipNames([CLIPS], unit).parse(f"some/folder/{tape}.wav_{start}_{end}.wav")
    assert clip_name is not None
    assert (clip_name.tape, clip_name.start, clip_name.end) == (tape, start, end)
    stretch = ClipNames([CLIPS], unit).stretch(clip_name, "tape.wav", None)
    assert stretch.start_s == pytest.approx(start * UNITS_S[unit], abs=1e-6)
    assert stretch.end_s == pytest.approx(end * UNITS_S[unit], abs=2e-6)


@given(tapes, offsets, offsets, offsets, offsets, st.integers(1, 4))
def test_a_segment_s_name_gives_its_clip_its_times_and_its_quality_back(tape, first, last, start, end, quality):
    assume(last > first)
    assume(end > start)
    clip = f"{tape}.wav_{first}_{last}"
    result = SegmentNames([SEGMENTS], "hum").parse(f"segmented/{clip}_{start}_{end}Q{quality}.wav")
    assert result is not None
    segment, number = result
    assert (segment.clip, number) == (clip, 0)
    row = segment.row
    assert (row.start_s, row.end_s, row.quality, row.label) == (start, end, quality, "hum")
    # The clip's own suffix may stand in the name, as the tape's does.
    again = SegmentNames([SEGMENTS], "hum").parse(f"{clip}.wav_{start}_{end}Q{quality}.WAV")
    assert again is not None
    assert (again[0].clip, again[0].row) == (f"{clip}.wav", row)


@given(names)
def test_any_other_name_is_read_or_refused_but_never_breaks(name):
    assert ClipNames([CLIPS], "s").parse(name) is None or ".wav_" in name
    try:
        SegmentNames([SEGMENTS], "hum").parse(name)
    except FormatError:
        assert "Q" in name


@given(st.integers(0, 500), st.integers(1, 60), units, st.floats(-0.4, 0.4))
def test_a_length_agrees_with_one_unit_only(start, length, unit, off_s):
    """A clip as long as its name says, rounding aside, is never taken to count in the other unit."""
    name = ClipName("tape", float(start), float(start + length), 1.0)
    lasts = name.length_s(unit) + off_s * min(1.0, 0.2 * name.length_s(unit))
    other = next(one for one in UNITS_S if one != unit)
    assert name.agrees(lasts, unit)
    assert not name.agrees(lasts, other)


@pytest.mark.parametrize(
    ("name", "lasts", "unit", "agrees"),
    [
        (ClipName("t", 110, 125, 1.0), 900.0, "min", True),
        (ClipName("t", 110, 125, 1.0), 900.0, "s", False),
        (ClipName("t", 110, 125, 1.0), 15.0, "min", False),
        (ClipName("t", 120, 127, 1.0), 440.0, "min", True),
        (ClipName("t", 0, 1, 1.0), 1.0, "min", False),
        (ClipName("t", 0.0, 7.5, 0.1), 7.56, "s", True),
        (ClipName("t", 0.0, 7.5, 0.1), 7.9, "s", False),
    ],
)
def test_what_agrees_with_a_name(name, lasts, unit, agrees):
    assert name.agrees(lasts, unit) is agrees


def test_a_clip_that_fits_another_unit_is_refused_even_where_it_is_shorter():
    names = ClipNames([CLIPS], "min")
    clips = {f"t.wav_0_{end}.wav": ClipName("t", 0, end, 1.0) for end in range(1, 9)}
    with pytest.raises(UsageError, match="contradicts 8 of 8 clips") as refused:
        names.check_unit(clips, {path: clip_name.end for path, clip_name in clips.items()})
    assert str(refused.value).count('set offset_unit = "s"') == 5
    assert "and 3 more" in str(refused.value)
    assert names.check_unit(clips, {}) == []
    notes = names.check_unit(clips, {"t.wav_0_8.wav": 77.0})
    assert [(note.kind, note.where) for note in notes] == [("clip_shorter", "t.wav_0_8.wav")]


def test_times_that_run_backwards_are_no_clip_s():
    names = ClipNames([CLIPS, "{tape:*}_{start:#}_{end:#}"], "min")
    assert names.parse("rec_20250610_053000.wav") is None
    assert names.parse("Luna_cut.wav_110_125.wav") == ClipName("Luna_cut", 110.0, 125.0, 1.0)
    assert names.parse("Luna_cut_1.5_2.25.wav") == ClipName("Luna_cut", 1.5, 2.25, 0.01)
