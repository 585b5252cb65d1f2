"""Labels that differ only in how they are written, and a map that gives them one name.

Labels are compared in Unicode NFC everywhere (``label_text``). Case, blanks and invisible characters do count, because
they may be meant; labels that differ in nothing else are twins, which the health report names.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ossicle.core.errors import FormatError, UsageError
from ossicle.corpus.formats.cells.rows import label_text
from ossicle.corpus.formats.event_table import EventTable
from ossicle.corpus.formats.window_tables.score_tables import ScoreTable


@dataclass(frozen=True, slots=True)
class LabelMap:
    """Names for labels: ``exact`` by label, ``alike`` by the key of their twins (:func:`twin_key`)."""

    exact: Mapping[str, str] = field(default_factory=dict)
    alike: Mapping[str, str] = field(default_factory=dict)

    def name(self, label: str) -> str:
        """Return the name of a label, itself in NFC if the map does not hold it."""
        text = label_text(label)
        return self.exact.get(text, self.alike.get(twin_key(text), text))


def parse_label_map(entries: Sequence[str], key: str) -> LabelMap:
    """Return the map of entries ``FROM=TO``, and ``LABEL`` for all labels that look like it.

    >>> found = parse_label_map(["song=Song", "wood thrush"], "--map")
    >>> found.name("song"), found.name("Wood_Thrush"), found.name("other")
    ('Song', 'wood thrush', 'other')

    Parameters
    ----------
    entries
        The entries.
    key
        Name of the setting or option, for messages.

    Raises
    ------
    UsageError
        An entry lacks a name, or two entries give one label different names.
    """
    exact: dict[str, str] = {}
    alike: dict[str, str] = {}
    for entry in entries:
        before, sign, after = (label_text(part) for part in entry.partition("="))
        if not before or (sign and not after):
            raise UsageError(f"{key}: {entry!r} lacks a label; write FROM=TO, or LABEL for all that look like it")
        names, known_name, name = (exact, before, after) if sign else (alike, twin_key(before), before)
        if names.setdefault(known_name, name) != name:
            raise UsageError(f"{key}: {before!r} is {names[known_name]!r} and {name!r}; keep one")
    return LabelMap(exact, alike)


def twin_key(label: str) -> str:
    """Return what labels that look alike have in common: case, blanks, hyphens and invisible characters do not count.

    >>> twin_key("Wood  Thrush") == twin_key("wood_thrush")
    True
    """
    text = "".join(
        character
        for character in unicodedata.normalize("NFKC", label)
        if unicodedata.category(character) not in ("Cf", "Cc")
    )
    return re.sub(r"[\s_-]+", " ", text.casefold()).strip() or label


def twins(labels: Iterable[str]) -> list[tuple[str, ...]]:
    """Return the groups of labels that look alike, each sorted."""
    groups: dict[str, set[str]] = defaultdict(set)
    for label in labels:
        groups[twin_key(label)].add(label)
    return sorted(tuple(sorted(group)) for group in groups.values() if len(group) > 1)


def is_garbled(label: str) -> bool:
    """Return whether a label is UTF-8 that was read as Windows-1252, or holds a character that marks damaged text.

    >>> is_garbled("KÃ¤uzchen"), is_garbled("Käuzchen")
    (True, False)
    """
    try:
        repaired = label.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return "\ufffd" in label
    return repaired != label


def renamed_events(table: EventTable, names: LabelMap) -> EventTable:
    """Return a table of events with its labels renamed."""
    return replace(table, rows=tuple(replace(row, label=names.name(row.label)) for row in table.rows))


def renamed_scores(table: ScoreTable, names: LabelMap) -> ScoreTable:
    """Return a table of scores with its labels renamed; raises FormatError if two of them become one."""
    labels = tuple(names.name(label) for label in table.labels)
    twice = [label for label, count in Counter(labels).items() if count > 1]
    if twice:
        raise FormatError(
            f"two columns of scores become {twice[0]!r}, and they cannot be added; rename only one of them"
        )
    return replace(table, labels=labels)
