"""What two corpora share: a model must not be judged on what it was trained on.

Files are the same where their bytes are, recordings where their ids are, and a group (an animal, a tape) where both
corpora hold its value. A clip cut out of a tape has bytes of its own: only a field, ``tape``, can tell that it is the
tape's. The same sound in another format is not found by its bytes either, so compare fields wherever names yield them.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from ossicle.core.errors import UsageError
from ossicle.core.records import Recording
from ossicle.corpus.indexing.corpus_index import CorpusIndex

# Of each thing that both hold, and of the things, as many as a person reads.
_MOST_PATHS = 3
_MOST_SHARED = 20

AUDIO, RECORDING = "audio", "recording"


@dataclass(frozen=True, slots=True)
class Shared:
    """Something that both corpora hold: ``kind`` is ``audio`` (bytes), ``recording`` (id) or the name of a field.

    ``value`` is the digest, the id or the field's value; ``first`` and ``second`` are the paths of the recordings that
    have it in either corpus, sorted.
    """

    kind: str
    value: str
    first: tuple[str, ...]
    second: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unchecked:
    """A field that could not be compared wholly: ``count`` recordings of the ``corpus`` (first, second) lack it."""

    field: str
    corpus: str
    count: int


@dataclass(frozen=True, slots=True)
class Overlap:
    """What two corpora share, by kind and value, and what could not be compared. False where they share nothing."""

    shared: tuple[Shared, ...] = ()
    unchecked: tuple[Unchecked, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything that both hold."""
        return bool(self.shared)

    def to_json(self) -> dict[str, object]:
        """Plain values for ``metrics.json``: each thing shared with its kind, value and paths."""
        return {
            "shared": [
                {"kind": one.kind, "value": one.value, "training": list(one.first), "benchmark": list(one.second)}
                for one in self.shared
            ],
            "unchecked": [
                {"field": one.field, "corpus": one.corpus, "recordings": one.count} for one in self.unchecked
            ],
        }


def corpus_overlap(first: CorpusIndex, second: CorpusIndex, fields: Sequence[str] = ("animal", "tape")) -> Overlap:
    """What both hold: the same bytes, the same recording ids, the same values of ``fields``.

    ``fields`` are those of a recording that must not be in both, such as the group field of the split, the animal and
    the tape; a name may be there twice. Values are compared as text, less outer blanks and case. ``recording`` is
    skipped as a field, since ids compare it. A field that no recording of either corpus has is skipped; one that some
    lack is listed as unchecked, for what is not known cannot be ruled out.
    """
    found = _common(AUDIO, first, second, lambda one: one.digest)
    found += _common(RECORDING, first, second, lambda one: one.id)
    unchecked: list[Unchecked] = []
    for name in dict.fromkeys(fields):
        if name == RECORDING or not any(_field(name, one) for one in (*first.recordings, *second.recordings)):
            continue
        found += _common(name, first, second, partial(_field, name))
        for corpus, index in (("first", first), ("second", second)):
            missing = sum(not _field(name, one) for one in index.recordings)
            unchecked += [Unchecked(name, corpus, missing)] if missing else []
    return Overlap(tuple(found), tuple(unchecked))


def require_apart(overlap: Overlap) -> None:
    """Refuse to benchmark on what a model was trained on: UsageError that lists what both hold, and the way out.

    ``overlap`` is :func:`corpus_overlap` of the training corpus and the benchmark corpus, in this order.
    """
    if not overlap:
        return
    lines = [_line(one) for one in overlap.shared[:_MOST_SHARED]]
    more = len(overlap.shared) - _MOST_SHARED
    raise UsageError(
        "the benchmark corpus holds what the model was trained on:\n"
        + "\n".join(lines + [f"  and {more} more"] * (more > 0))
        + "\nleave it out of one of them ([corpus] exclude, [benchmark] exclude), or set [benchmark] "
        "allow_overlap = true: its figures are then marked as overlapping wherever they appear"
    )


def _common(kind: str, first: CorpusIndex, second: CorpusIndex, key: Callable[[Recording], str]) -> list[Shared]:
    paths: tuple[dict[str, list[str]], dict[str, list[str]]] = (defaultdict(list), defaultdict(list))
    for index, into in zip((first, second), paths, strict=True):
        for one in index.recordings:
            into[key(one)].append(one.path)
    both = sorted((set(paths[0]) & set(paths[1])) - {""})
    return [Shared(kind, value, tuple(sorted(paths[0][value])), tuple(sorted(paths[1][value]))) for value in both]


def _field(name: str, one: Recording) -> str:
    value = unicodedata.normalize("NFC", one.fields.get(name, "")).strip().casefold()
    # What lies in no folder has none in common with what lies in none elsewhere.
    return "" if name == "folder" and value == "." else value


def _line(one: Shared) -> str:
    if one.kind == AUDIO:
        what = "the same file"
    elif one.kind == RECORDING:
        remedy = "give [corpus] root and [benchmark] root different names"
        what = f"the same recording id {one.value}, made of root and path ({remedy})"
    else:
        what = f"{one.kind} {one.value!r}"
    return f"  {what}: {_some(one.first)} in training, {_some(one.second)} in the benchmark"


def _some(paths: Sequence[str]) -> str:
    more = len(paths) - _MOST_PATHS
    return ", ".join(paths[:_MOST_PATHS]) + (f" and {more} more" if more > 0 else "")
