"""Overlap of two corpora: a model must not be evaluated on what it was trained on.

Files are equal if their bytes are, recordings if their ids are, and groups (an animal, a tape) if both corpora have the
same value. A clip cut out of a tape has different bytes: only a field, ``tape``, shows that it belongs to the tape.
Bytes do not identify the same sound in another format either, so compare fields wherever names yield them.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from ossicle.core.errors import UsageError
from ossicle.core.records import Recording
from ossicle.corpus.indexing.corpus_index import CorpusIndex

# At most this many paths per shared item, and this many items, are listed in a message.
_MOST_PATHS = 3
_MOST_SHARED = 20

AUDIO, RECORDING = "audio", "recording"


@dataclass(frozen=True, slots=True)
class Shared:
    """Something that both corpora contain: ``kind`` is ``audio`` (bytes), ``recording`` (id) or the name of a field.

    ``value`` is the digest, the id or the field's value; ``first`` and ``second`` are the paths of the matching
    recordings in either corpus, sorted.
    """

    kind: str
    value: str
    first: tuple[str, ...]
    second: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unchecked:
    """A field that could not be compared completely: ``count`` recordings of the ``corpus`` (first, second) lack it."""

    field: str
    corpus: str
    count: int


@dataclass(frozen=True, slots=True)
class Overlap:
    """What two corpora share, by kind and value, and what could not be compared. False if they share nothing."""

    shared: tuple[Shared, ...] = ()
    unchecked: tuple[Unchecked, ...] = ()

    def __bool__(self) -> bool:
        """Whether the corpora share anything."""
        return bool(self.shared)

    def to_json(self) -> dict[str, object]:
        """Return plain values for ``metrics.json``: each shared item with its kind, value and paths."""
        return {
            "shared": [
                {
                    "kind": shared.kind,
                    "value": shared.value,
                    "training": list(shared.first),
                    "benchmark": list(shared.second),
                }
                for shared in self.shared
            ],
            "unchecked": [
                {"field": unchecked_field.field, "corpus": unchecked_field.corpus, "recordings": unchecked_field.count}
                for unchecked_field in self.unchecked
            ],
        }


def corpus_overlap(first: CorpusIndex, second: CorpusIndex, fields: Sequence[str] = ("animal", "tape")) -> Overlap:
    """Return what two corpora share: equal bytes, equal recording ids, equal values of ``fields``.

    Parameters
    ----------
    first, second
        The corpora.
    fields
        Fields of a recording that must not occur in both, such as the group field of the split, the animal and the
        tape; duplicates are allowed. Values are compared as text, without outer blanks and case. ``recording`` is
        skipped, since ids compare it. A field that no recording of either corpus has is skipped; a field that some lack
        is listed as unchecked.
    """
    overlaps = _common(AUDIO, first, second, lambda recording: recording.digest)
    overlaps += _common(RECORDING, first, second, lambda recording: recording.id)
    unchecked: list[Unchecked] = []
    for name in dict.fromkeys(fields):
        if name == RECORDING or not any(
            _field(name, recording) for recording in (*first.recordings, *second.recordings)
        ):
            continue
        overlaps += _common(name, first, second, partial(_field, name))
        for corpus, index in (("first", first), ("second", second)):
            missing = sum(not _field(name, recording) for recording in index.recordings)
            unchecked += [Unchecked(name, corpus, missing)] if missing else []
    return Overlap(tuple(overlaps), tuple(unchecked))


def require_apart(overlap: Overlap) -> None:
    """Raise UsageError, listing what both share and what to do, if a benchmark corpus overlaps the training corpus.

    ``overlap`` is :func:`corpus_overlap` of the training corpus and the benchmark corpus, in this order.
    """
    if not overlap:
        return
    lines = [_line(shared) for shared in overlap.shared[:_MOST_SHARED]]
    more = len(overlap.shared) - _MOST_SHARED
    raise UsageError(
        "the benchmark corpus overlaps with the training corpus:\n"
        + "\n".join(lines + [f"  and {more} more"] * (more > 0))
        + "\nexclude these from one of them ([corpus] exclude, [benchmark] exclude), or set [benchmark] "
        "allow_overlap = true: all its figures are then marked as overlapping"
    )


def _common(kind: str, first: CorpusIndex, second: CorpusIndex, key: Callable[[Recording], str]) -> list[Shared]:
    paths: tuple[dict[str, list[str]], dict[str, list[str]]] = (defaultdict(list), defaultdict(list))
    for index, into in zip((first, second), paths, strict=True):
        for recording in index.recordings:
            into[key(recording)].append(recording.path)
    both = sorted((set(paths[0]) & set(paths[1])) - {""})
    return [Shared(kind, value, tuple(sorted(paths[0][value])), tuple(sorted(paths[1][value]))) for value in both]


def _field(name: str, recording: Recording) -> str:
    value = unicodedata.normalize("NFC", recording.fields.get(name, "")).strip().casefold()
    # Files in no folder do not share a folder with files in no folder of the other corpus.
    return "" if name == "folder" and value == "." else value


def _line(shared: Shared) -> str:
    if shared.kind == AUDIO:
        description = "the same file"
    elif shared.kind == RECORDING:
        remedy = "give [corpus] root and [benchmark] root different names"
        description = f"the same recording id {shared.value}, made of root and path ({remedy})"
    else:
        description = f"{shared.kind} {shared.value!r}"
    return f"  {description}: {_first_paths(shared.first)} in training, {_first_paths(shared.second)} in the benchmark"


def _first_paths(paths: Sequence[str]) -> str:
    more = len(paths) - _MOST_PATHS
    return ", ".join(paths[:_MOST_PATHS]) + (f" and {more} more" if more > 0 else "")
