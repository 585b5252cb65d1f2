import warnings
from pathlib import Path

import crowsetta
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.core.errors import FormatError
from ossicle.corpus.formats.audacity import is_audacity, read_audacity, write_audacity
from ossicle.corpus.formats.cells.rows import RawSelection

labels = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12).filter(
    lambda text: text == text.strip()
)
boxes = st.builds(
    lambda start, length, label, box: RawSelection(start / 1e6, (start + length) / 1e6, label, *box),
    st.integers(0, 10**10),
    st.integers(0, 10**9),
    labels,
    st.sampled_from([(None, None), (0.0, 4000.0), (100.5, 22050.0), (None, 500.0), (500.0, None)]),
)


@settings(deadline=None, max_examples=60)
@given(rows=st.lists(boxes, max_size=8))
def test_nothing_is_lost_in_a_round_trip(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("audacity") / "x.txt"
    write_audacity(path, rows)
    assert sorted(read_audacity(path), key=repr) == sorted(rows, key=repr)


def crowsetta_boxes(path: Path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = crowsetta.Transcriber(format="aud-bbox").from_file(path).to_bbox()
    return [(box.onset, box.offset, box.label, box.low_freq, box.high_freq) for box in result]


def test_crowsetta_reads_what_we_write_and_we_its_sample(tmp_path):
    sample = Path(crowsetta.example("spinetail.txt", return_path=True))
    rows = read_audacity(sample)
    assert len(rows) == 18
    assert [(row.start_s, row.end_s, row.label, row.low_hz, row.high_hz) for row in rows] == crowsetta_boxes(sample)
    write_audacity(tmp_path / "x.txt", rows)
    assert crowsetta_boxes(tmp_path / "x.txt") == crowsetta_boxes(sample)


def test_plain_labels_scores_and_unset_frequencies(tmp_path):
    path = tmp_path / "x.txt"
    path.write_bytes(b"\xef\xbb\xbf1.0\t2.0\twren\t0.75\r\n\r\n2.5\t2.5\tpoint\r\n\\\t-1\t8000\r\n")
    assert read_audacity(path) == [
        RawSelection(1.0, 2.0, "wren", confidence=0.75),
        RawSelection(2.5, 2.5, "point", high_hz=8000.0),
    ]
    path.write_text("1\t2\n")
    assert read_audacity(path, default_label="call")[0].label == "call"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1\t2\ta\n3\t2\tb\n", ["line 2", "after the end"]),
        ("x\t2\ta\n", ["line 1", "'x'"]),
        ("1\t2\t\n", ["line 1", "label"]),
        ("1\n", ["line 1", "cells"]),
        ("\\\t1\t2\n", ["line 1", "frequency"]),
        ("1\t2\ta\n\\\t2000\t100\n", ["line 2", "2000 Hz", "above"]),
        ("-1\t2\ta\n", ["line 1", "negative"]),
        ("1\tinf\ta\n", ["line 1", "finite"]),
    ],
)
def test_malformed_tracks_name_file_line_and_remedy(tmp_path, text, words):
    path = tmp_path / "x.txt"
    path.write_text(text)
    with pytest.raises(FormatError) as caught:
        read_audacity(path)
    for word in [str(path), *words]:
        assert word in str(caught.value)


def test_recognised_by_its_first_line():
    assert is_audacity("\n0.1\t0.2\n")
    assert not is_audacity("Begin Time (s)\tEnd Time (s)\n")
    assert not is_audacity("")
