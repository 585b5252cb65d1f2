"""What a transfer has to do: files to copy, files to read on both sides, and files that are as they were recorded."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ossicle.app.remote.place import FileState, Listing
from ossicle.app.remote.records import Record

BATCH_FILES = 100
"""The largest number of files in a batch."""
BATCH_BYTES = 256 << 20
"""The largest number of bytes in a batch; a larger file is a batch of its own."""


@dataclass(slots=True)
class Comparison:
    """Paths by what has to be done with them.

    Parameters
    ----------
    send
        There is no copy, or one of another size.
    read
        The copy has the right size, but no record says that its bytes are right.
    unchanged
        Source and copy have the recorded size and time.
    blocked
        Why there cannot be a copy: a file stands where a folder is needed, or a folder where the file belongs.
    """

    send: list[str] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    blocked: dict[str, str] = field(default_factory=dict)


def compare(
    source: Listing, target: Listing, records: Mapping[str, Record], *, keeps_times: bool, verify: bool
) -> Comparison:
    """Compare the listings of two places, without reading a file.

    Parameters
    ----------
    source, target
        What there is.
    records
        What arrived at the target earlier.
    keeps_times
        Whether files at the target keep their times.
    verify
        Whether to read every file, whatever its record says.

    Returns
    -------
    Comparison
        The paths of the source, sorted.
    """
    comparison = Comparison()
    for path, state in sorted(source.files.items()):
        copy_state, record = target.files.get(path), records.get(path)
        if copy_state is None and (obstacle := in_the_way(path, target)):
            comparison.blocked[path] = obstacle
        elif copy_state is None or copy_state.size != state.size:
            comparison.send.append(path)
        elif verify or not is_recorded(record, state, copy_state, keeps_times=keeps_times):
            comparison.read.append(path)
        else:
            comparison.unchanged.append(path)
    return comparison


def in_the_way(path: str, target: Listing) -> str:
    """Return what at the target keeps a file from its place; rsync would replace it.

    Parameters
    ----------
    path
        The path of the file.
    target
        What there is.

    Returns
    -------
    str
        The reason; empty if the place is free.

    Examples
    --------
    >>> in_the_way("a/b.wav", Listing({"a": FileState(1, 0)}))
    'a file named a is in the way at the target; move it away or remove it'
    """
    if path in target.folders:
        return "a folder of this name is in the way at the target; move it away or remove it"
    parts = path.split("/")
    for end in range(1, len(parts)):
        if (above := "/".join(parts[:end])) in target.files:
            return f"a file named {above} is in the way at the target; move it away or remove it"
    return ""


def is_recorded(record: Record | None, source: FileState, copy_state: FileState, *, keeps_times: bool) -> bool:
    """Return whether source and copy have the size and time of a record.

    Parameters
    ----------
    record
        The record, if there is one.
    source, copy_state
        The file and its copy.
    keeps_times
        Whether files at the target keep their times.

    Returns
    -------
    bool
        Whether neither was changed since.
    """
    return record is not None and record.fits_source(source) and record.fits_place(copy_state, keeps_times=keeps_times)


def batches(paths: Sequence[str], files: Mapping[str, FileState]) -> Iterator[dict[str, FileState]]:
    """Yield the files of some paths in batches.

    Parameters
    ----------
    paths
        The paths.
    files
        The states of all files.

    Yields
    ------
    dict[str, FileState]
        At most ``BATCH_FILES`` files, and at most ``BATCH_BYTES`` bytes if there are several.

    Examples
    --------
    >>> [len(one) for one in batches(["a"] + ["b"] * 0, {"a": FileState(1, 0)})]
    [1]
    """
    batch: dict[str, FileState] = {}
    size = 0
    for path in paths:
        if batch and (len(batch) >= BATCH_FILES or size + files[path].size > BATCH_BYTES):
            yield batch
            batch, size = {}, 0
        batch[path] = files[path]
        size += files[path].size
    if batch:
        yield batch
