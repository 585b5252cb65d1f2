"""Settings of segments that exclude each other are refused by name."""

import pytest

from ossicle.audio.segmentation.settings import SegmentSettings


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"margin_s": 0.3}, "margin_s = 0.3 s is more than half of min_silence_s"),
        ({"longest_s": 3.0}, "shortest_s = 2 s is more than half of longest_s = 3 s"),
        ({"threshold_db": 3.0}, "threshold_db = 3 dB: no frame is louder than loudest"),
        ({"by": "table"}, "table: by = .table. needs the path"),
        ({"table": "a.tsv"}, "it is read only with by = .table."),
        ({"by": "words"}, "by = 'words' is not one of: silences, files, table"),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SegmentSettings(**given)


def test_a_threshold_above_the_background_is_possible() -> None:
    assert SegmentSettings(relative_to="percentile", threshold_db=12).threshold_db == 12
