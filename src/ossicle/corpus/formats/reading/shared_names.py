"""Which recording of one folder of annotations is which of another: names are paths below their folders.

If the file names alone are unique on both sides, they decide. Otherwise a name of the second side is that of the first
whose path it ends with, or that ends with it: ``/disk/s1/a`` is ``s1/a``, and never ``s2/a``.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from ossicle.corpus.formats.reading.recording_tables import Rows


def pair_names(*sets: Mapping[str, Rows]) -> tuple[dict[str, Rows], ...]:
    """Return the sets with names that are the same for the same recording, in their order; the first decides."""
    short = [{_file_name(name): rows for name, rows in rows_by_name.items()} for rows_by_name in sets]
    if all(len(a) == len(b) for a, b in zip(short, sets, strict=True)):
        return tuple(short)
    first, *others = sets
    return dict(first), *(_as_known(rows_by_name, first) for rows_by_name in others)


def paired_by_name(first: Iterable[str], other: Iterable[str]) -> list[tuple[str, str]]:
    """Return names of both sides that :func:`pair_names` takes for one recording although their folders differ."""
    first, other = list(first), list(other)
    if any(len({_file_name(name) for name in names}) < len(names) for names in (first, other)):
        return []
    by_name = {_file_name(name): name for name in first}
    pairs = [(by_name[short], name) for name in other if (short := _file_name(name)) in by_name]
    return [(a, b) for a, b in pairs if not _is_end(a, b) and not _is_end(b, a)]


def _as_known(rows_by_name: Mapping[str, Rows], known: Iterable[str]) -> dict[str, Rows]:
    by_name: dict[str, list[str]] = defaultdict(list)
    for name in known:
        by_name[_file_name(name)].append(name)
    known_names = {}
    for name in rows_by_name:
        fits = [path for path in by_name.get(_file_name(name), ()) if _is_end(path, name) or _is_end(name, path)]
        known_names[name] = fits[0] if len(fits) == 1 else name
    taken = Counter(known_names.values())
    return {known_names[name] if taken[known_names[name]] == 1 else name: rows for name, rows in rows_by_name.items()}


def _is_end(end: str, path: str) -> bool:
    """Return whether a path ends with another one, in whole folders."""
    return path == end or path.endswith(f"/{end}")


def _file_name(path: str) -> str:
    return path.rpartition("/")[2]
