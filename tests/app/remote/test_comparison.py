"""Batches, and what a comparison of listings finds without reading a file."""

import pytest

from ossicle.app.remote.comparison import BATCH_BYTES, batches, compare
from ossicle.app.remote.place import FileState, Listing, is_safe
from ossicle.app.remote.records import Record

STATE, SHA = FileState(10, 5_000_000_001), "0" * 64
RECORD = Record(10, 5_000_000_001, 7_000_000_002, SHA)
COPY = FileState(10, 7_000_000_002)


def test_batches_have_at_most_a_hundred_files_and_so_many_bytes() -> None:
    sizes = [1] * 250 + [BATCH_BYTES, BATCH_BYTES + 1, 1, 1, BATCH_BYTES - 2, 1]
    files = {f"{number:03}": FileState(size, 0) for number, size in enumerate(sizes)}
    result = list(batches(list(files), files))
    assert [len(one) for one in result] == [100, 100, 50, 1, 1, 3, 1]
    assert {path: state for one in result for path, state in one.items()} == files


@pytest.mark.parametrize(
    ("copy", "record", "keeps_times", "verify", "todo"),
    [
        (None, RECORD, True, False, "send"),
        (FileState(9, 7_000_000_002), RECORD, True, False, "send"),
        (COPY, None, True, False, "read"),
        (COPY, RECORD, True, False, "unchanged"),
        (COPY, RECORD, True, True, "read"),
        # A system that keeps whole seconds.
        (FileState(10, 7_000_000_000), RECORD, True, False, "unchanged"),
        (FileState(10, 8_000_000_002), RECORD, True, False, "read"),
        (FileState(10, 8_000_000_002), RECORD, False, False, "unchanged"),
        (COPY, Record(10, 5_000_000_002, 7_000_000_002, SHA), True, False, "read"),
        (COPY, Record(11, 5_000_000_001, 7_000_000_002, SHA), True, False, "read"),
    ],
)
def test_what_has_to_be_done(
    copy: FileState | None, record: Record | None, keeps_times: bool, verify: bool, todo: str
) -> None:
    comparison = compare(
        Listing({"a": STATE}),
        Listing({} if copy is None else {"a": copy}),
        {} if record is None else {"a": record},
        keeps_times=keeps_times,
        verify=verify,
    )
    assert {"send": comparison.send, "read": comparison.read, "unchanged": comparison.unchanged}[todo] == ["a"]
    assert len(comparison.send) + len(comparison.read) + len(comparison.unchanged) == 1


@pytest.mark.parametrize("path", ["", "/a", "a//b", "a/", "./a", "a/../b", "..", "a\0b"])
def test_paths_that_lead_out(path: str) -> None:
    assert not is_safe(path)
