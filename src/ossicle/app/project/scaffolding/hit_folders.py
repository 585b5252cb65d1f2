"""``ossicle new`` for folders of drum hits: group/class/file, and one name for each well-known drum."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ossicle.app.project.scaffolding.hit_layouts import require_class_folders, without_class_folders
from ossicle.core.errors import UsageError
from ossicle.corpus.formats.label_map import twin_key
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.corpus.transcription.drum_names import drum_name

CLASS_TEMPLATE = "*/{class:*}/*"
"""The name template of recipes that read the label from the last of at least two folders."""
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class HitFolders:
    """What the folders of hits say.

    Attributes
    ----------
    groups, labels
        Values of the first and of the last folder, sorted.
    groups_of
        The groups with each label.
    shallow
        Files in fewer than two folders, which have no group or no label; sorted.
    """

    groups: tuple[str, ...]
    labels: tuple[str, ...]
    groups_of: Mapping[str, frozenset[str]]
    shallow: tuple[str, ...]

    def in_words(self) -> list[str]:
        """Return what was read from the folders, one line each."""
        lines = [
            f"label: the last folder of each file ({len(self.labels)}: {_some(self.labels)})",
            f"group: the first folder ({len(self.groups)}: {_some(self.groups)}); no fold divides it",
        ]
        if self.shallow:
            lines.append(f"left out: {len(self.shallow)} files in fewer than two folders ({_some(self.shallow)})")
        return lines


def reads_hit_folders(recipe: Mapping[str, Any]) -> bool:
    """Return whether a recipe, given as its tables, reads labels from the last of at least two folders."""
    return bool(recipe.get("corpus", {}).get("name_template") == CLASS_TEMPLATE)


def hit_folders(paths: Sequence[str], audio: object) -> HitFolders:
    """Return what the folders of hits say.

    Parameters
    ----------
    paths
        Paths of the recordings below the audio folder, with forward slashes.
    audio
        The audio folder, for messages.

    Raises
    ------
    UsageError
        No file is in at least two folders, or the last folders are not those of the classes.
    """
    parts = [path.split("/") for path in paths]
    deep = [path_parts for path_parts in parts if len(path_parts) > 2]
    if not deep:
        first = f" as {sorted(paths)[0]}" if paths else ""
        raise UsageError(
            f"--audio {audio}: no file{first} lies in two folders, group/class/file; move the files into a folder for "
            "each group (machine, kit, drummer) and in it one for each class, or let names and folders say what they "
            f"hold: {without_class_folders(paths)}"
        )
    require_class_folders(deep, audio)
    groups_of: dict[str, set[str]] = {}
    for path_parts in deep:
        groups_of.setdefault(path_parts[-2], set()).add(path_parts[0])
    return HitFolders(
        groups=tuple(sorted({path_parts[0] for path_parts in deep})),
        labels=tuple(sorted({path_parts[-2] for path_parts in deep})),
        groups_of={label: frozenset(groups) for label, groups in groups_of.items()},
        shallow=tuple(sorted("/".join(path_parts) for path_parts in parts if len(path_parts) <= 2)),
    )


@dataclass(frozen=True, slots=True)
class DrumLabels:
    """Labels of drums under the names that Ossicle uses.

    Attributes
    ----------
    label_map
        Entries of ``[corpus] label_map``.
    kept
        Labels that seem to mean one drum and stay as they are, because one group has several of them; sorted.
    """

    label_map: tuple[str, ...] = ()
    kept: tuple[tuple[str, ...], ...] = ()

    def in_words(self) -> list[str]:
        """Return what became of the labels, one line each; empty if nothing was renamed or kept."""
        lines = [f"labels renamed: {', '.join(entry.replace('=', ' = ') for entry in self.label_map)}"]
        return (lines if self.label_map else []) + [
            f"labels left as they are: {', '.join(labels)}, which may mean one drum; to join them, give them one "
            "name in [corpus] label_map"
            for labels in self.kept
        ]


def drum_labels(groups: Mapping[str, Collection[str]]) -> DrumLabels:
    """Return the names for labels of well-known drums.

    Labels that are written alike (:func:`~ossicle.corpus.formats.label_map.twin_key`) are one label. Several that mean
    the same drum become one only if no group has two of them: in one machine, hh beside ch mean two drums.

    Parameters
    ----------
    groups
        The groups in which each label occurs. Where they are not known, the same for all.

    Examples
    --------
    >>> drum_labels({"bd": ["808"], "Kick 01": ["909"], "SD": ["808"], "bell": ["808"]}).label_map
    ('Kick 01=kick', 'SD=snare', 'bd=kick')
    >>> drum_labels({"hh": ["808"], "ch": ["808"], "oh": ["808"]})
    DrumLabels(label_map=('oh=hihat_open',), kept=(('ch', 'hh'),))
    """
    # A label that is the name already is one of the labels of its drum, though it needs no entry.
    meant_names = {label: name for label in sorted(groups) if "=" not in label and (name := drum_name(label))}
    kept_labels = []
    for name in sorted(set(meant_names.values())):
        labels = [label for label, meant in meant_names.items() if meant == name]
        used = Counter(group for key in {*map(twin_key, labels)} for group in _groups_of(key, labels, groups))
        if any(count > 1 for count in used.values()):
            kept_labels.append(tuple(labels))
    left = {label for labels in kept_labels for label in labels}
    entries = (f"{label}={name}" for label, name in meant_names.items() if label not in left and name != label)
    return DrumLabels(tuple(entries), tuple(kept_labels))


def groups_of_labels(index: CorpusIndex, group: str) -> dict[str, set[str]]:
    """Return the groups in which each label of an index occurs.

    Parameters
    ----------
    index
        The index.
    group
        The field of recordings that holds their group; those without it are in the group "".

    Returns
    -------
    dict
        The groups with annotations of each label, by label.
    """
    by_id = {recording.id: recording.fields.get(group, "") for recording in index.recordings}
    groups_by_label: dict[str, set[str]] = {}
    for annotation in index.annotations:
        groups_by_label.setdefault(annotation.label, set()).add(by_id[annotation.recording_id])
    return groups_by_label


def _groups_of(key: str, labels: Sequence[str], groups: Mapping[str, Collection[str]]) -> set[str]:
    """Return the groups with a label of this key."""
    return {group for label in labels if twin_key(label) == key for group in groups[label]}


def _some(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
