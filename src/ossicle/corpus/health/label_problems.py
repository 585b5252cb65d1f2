"""Labels that look alike but are different classes, and labels of damaged text."""

from collections import Counter
from collections.abc import Iterator

from ossicle.corpus.formats.label_map import is_garbled, twins
from ossicle.corpus.health.problem import Problem
from ossicle.corpus.indexing.corpus_index import CorpusIndex


def label_problems(index: CorpusIndex) -> Iterator[Problem]:
    """Return labels that a person takes for one, and labels of damaged text, each with its remedy."""
    counts = Counter(index.annotations.label_counts())
    unused = {note.where for note in index.notes if note.kind in ("label_not_kept", "label_not_found")}
    labels = {*counts, *unused, *(label for found in index.unknown.values() for label in found)}
    for group in twins(labels):
        # Not the one with blanks or characters that nobody sees.
        most = max(group, key=lambda label: (label.isprintable() and "  " not in label, counts[label], label))
        listed = ", ".join(f"{label!r} ({counts[label]})" for label in group)
        message = f"{len(group)} labels look alike: {listed}; they are different classes"
        remedy = f"if they mean one class, add {most!r} to corpus.label_map, which gives all of them this name"
        yield Problem("warning", "label_twins", most, message, remedy)
    for label in sorted(filter(is_garbled, labels)):
        message = f"{label!r} looks like UTF-8 text that was read in another encoding"
        remedy = f"save the tables again as UTF-8, or name the label in corpus.label_map, as '{label}=NAME'"
        yield Problem("warning", "label_garbled", label, message, remedy)
