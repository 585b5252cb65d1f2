import pytest

from ossicle.core.errors import FormatError
from ossicle.corpus.naming.table_names import table_stems
from ossicle.corpus.naming.table_pairing import Pairing, same_file_name

PATHS = ["a/one.wav", "b/one.wav", "x.23_tape.flac", "Über mich.WAV", "c/two.wav", "c/two.flac", "d/e/deep.wav"]


@pytest.mark.parametrize(
    ("table", "recording"),
    [
        ("x.23_tape.Table.1.selections.txt", "x.23_tape.flac"),
        ("x.23_tape.Table.12.selections.txt", "x.23_tape.flac"),
        ("x.23_tape.selections.txt", "x.23_tape.flac"),
        ("x.23_tape.txt", "x.23_tape.flac"),
        ("x.23_tape.flac.txt", "x.23_tape.flac"),
        ("x.23_tape.FLAC.Table.1.selections.txt", "x.23_tape.flac"),
        ("x.23_tape.BirdNET.selection.table.txt", "x.23_tape.flac"),
        ("elsewhere/Über mich.wav.txt", "Über mich.WAV"),
        ("U\u0308ber mich.txt", "Über mich.WAV"),
        ("a/one.txt", "a/one.wav"),
        ("b/one.Table.1.selections.txt", "b/one.wav"),
        ("two.wav.txt", "c/two.wav"),
        ("deep.txt", "d/e/deep.wav"),
        # A folder of tables alone may be laid out as it likes; one that holds recordings speaks of these.
        ("tables/deep.txt", "d/e/deep.wav"),
        ("c/deep.txt", None),
        ("x.txt", None),
        ("none.txt", None),
    ],
)
def test_tables_by_name(table, recording):
    assert Pairing(PATHS).of_table(table) == recording


@pytest.mark.parametrize(
    ("table", "both"), [("one.txt", ["a/one.wav", "b/one.wav"]), ("c/two.txt", ["two.wav", "two.flac"])]
)
def test_an_ambiguous_table_names_the_candidates(table, both):
    with pytest.raises(FormatError) as caught:
        Pairing(PATHS).of_table(table)
    assert all(word in str(caught.value) for word in [table, *both])


@pytest.mark.parametrize(
    ("stated", "recording"),
    [
        ("C:\\data\\A\\one.wav", "a/one.wav"),
        ("/elsewhere/b/one.wav", "b/one.wav"),
        ("deep.mp3", "d/e/deep.wav"),
        ("b/one", "b/one.wav"),
        ("audio/A/one", "a/one.wav"),
        ("b/one.mp3", "b/one.wav"),
        ("x.23_tape", "x.23_tape.flac"),
        ("nothing.wav", None),
        ("", None),
    ],
)
def test_rows_by_path(stated, recording):
    assert Pairing(PATHS).of_path(stated, "t.txt") == recording


def test_an_ambiguous_row_is_refused():
    with pytest.raises(FormatError, match=r"a/one\.wav or b/one\.wav"):
        Pairing(PATHS).of_path("one.wav", "t.txt")


def test_names():
    assert table_stems("a.txt") == ["a"]
    assert same_file_name("D:\\x\\a.wav", "y/a.flac")
    assert not same_file_name("b.wav", "a.wav")


def test_a_name_in_another_case_is_a_hint_and_no_recording():
    pairing = Pairing(("x/Tape_01.WAV", "y/b.wav", "z/B.wav"))
    assert pairing.of_path("TAPE_01.wav", "t.txt") is None
    assert pairing.like("C:\\old\\TAPE_01.flac") == (
        " (there is 'x/Tape_01.WAV': upper and lower case count; rename one)"
    )
    # Either could be meant, or none.
    assert pairing.like("nothing.wav") == pairing.like("") == Pairing(("y/b.wav", "z/B.wav")).like("B") == ""


def test_a_table_with_a_word_at_its_end_may_belong_to_the_only_recording_of_the_rest() -> None:
    assert Pairing(["a/tape.wav"]).of_table("tape_labels.txt") is None
    assert Pairing(["a/tape.wav"]).of_table_with_word("tape_labels.txt") == "a/tape.wav"
    assert Pairing(["a/tape.wav"]).of_table_with_word("tape.txt") is None
    assert Pairing(["a/tape.wav", "b/other.wav"]).of_table_with_word("b/tape_labels.txt") is None
    assert Pairing(["a/tape.wav", "b/tape.wav"]).of_table_with_word("tape_labels.txt") is None
