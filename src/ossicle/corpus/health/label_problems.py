"""Labels that look alike, like several labels, like no label or like damaged text."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ossicle.corpus.formats.joined_labels import holds_no_label, joined_labels
from ossicle.corpus.formats.label_map import is_garbled, twin_key, twins
from ossicle.corpus.health.problem import Problem
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.corpus.indexing.recording_labels import NEGATIVE

_MOST_NAMED = 3
_NOTHING = frozenset(
    {"none", "nothing", "nan", "null", "n/a", "na", "empty", "negative", "neg", "absent", "ambient"}
) | {
    f"{no} {noun}" for no in ("no", "not") for noun in ("call", "calls", "bird", "birds", "sound", "target", "present")
}
_MARKS = frozenset("-\u2013\u2014_.~*#/\\ ")
_UNSURE = frozenset(
    {"?", "??", "???", "????", "unknown", "unk", "unsure", "uncertain", "unidentified", "undetermined", "maybe", "todo"}
    | {"noid", "no id", "no_id", "no-id", "not identified", "xxxx", "tbd"}
)


def label_problems(index: CorpusIndex) -> Iterator[Problem]:
    """Return labels that a person takes for one, for several, for none or for damaged text, each with its remedy."""
    counts = Counter(index.annotations.label_counts())
    unused = {note.where for note in index.notes if note.kind in ("label_not_kept", "label_not_found")}
    labels = {*counts, *unused, *(label for unknown_labels in index.unknown.values() for label in unknown_labels)}
    for group in twins(labels):
        # Not the one with blanks or characters that nobody sees.
        most = max(group, key=lambda label: (label.isprintable() and "  " not in label, counts[label], label))
        message = f"{len(group)} labels look alike: {_listed(group, counts, len(group))}; they are different classes"
        remedy = f"if they mean one class, add {most!r} to corpus.label_map, which gives all of them this name"
        yield Problem("warning", "label_twins", most, message, remedy)
    for separator, joined in joined_labels(sorted(counts)).items():
        description = "label looks" if len(joined) == 1 else "labels look"
        look = f"{len(joined)} {description} like a list or several in one cell"
        message = f"{look}: {_listed(joined, counts)}; each is one class"
        remedy = f"if so, set corpus.label_separator = '{separator}', or write a row for each label"
        yield Problem("warning", "label_list", joined[0], message, remedy)
    for label in sorted(counts):
        if description := _says_nothing(index, label):
            remedy = (
                "if it is no sound to detect, name the others in corpus.labels (for labels of whole recordings: add it "
                "to corpus.negative_labels)"
            )
            message = f"{label!r} ({counts[label]}) reads like {description}, and is a class like the others"
            yield Problem("warning", "label_nothing", label, message, remedy)
    for label in sorted(filter(is_garbled, labels)):
        message = f"{label!r} looks like UTF-8 text that was read in another encoding"
        remedy = f"save the tables again as UTF-8, or name the label in corpus.label_map, as '{label}=NAME'"
        yield Problem("warning", "label_garbled", label, message, remedy)


def _listed(labels: Sequence[str], counts: Mapping[str, int], most: int = _MOST_NAMED) -> str:
    """Return labels with the numbers of their annotations."""
    more = f" and {len(labels) - most} more" if len(labels) > most else ""
    return ", ".join(f"{label!r} ({counts[label]})" for label in labels[:most]) + more


def _says_nothing(index: CorpusIndex, label: str) -> str:
    """Return what a label says in place of a sound, "" if it names one."""
    key = twin_key(label)
    if key in _UNSURE:
        return "a sound that was not identified"
    if (
        key in _NOTHING
        or holds_no_label(label)
        or set(label) <= _MARKS
        or (key in NEGATIVE and not _is_whole(index, label))
    ):
        return "'nothing was found'"
    return ""


def _is_whole(index: CorpusIndex, label: str) -> bool:
    """Return whether all annotations of a label last as long as their recordings.

    Such a word is then a label of whole recordings, which ``corpus.negative_labels`` would hold if it were no class.
    """
    of_label = next(columns for name, columns in index.annotations.by_label() if name == label)
    ends = {recording.id: recording.duration_s for recording in index.recordings}
    end_s = np.array([ends[key] for key in of_label.recording_ids])
    return bool(np.all((of_label.start_s <= 0) & (of_label.end_s >= end_s[of_label.recording])))
