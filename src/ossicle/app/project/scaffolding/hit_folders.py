"""``ossicle new`` for folders of drum hits: group/class/file, and full names for well-known short ones."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ossicle.core.errors import UsageError
from ossicle.corpus.formats.label_map import twin_key

CLASS_TEMPLATE = "*/{class:*}/*"
"""The name template of recipes that read the label from the last of at least two folders."""
SHORT_NAMES: Mapping[str, str] = {
    "bd": "kick",
    "kd": "kick",
    "sd": "snare",
    "sn": "snare",
    "rim": "rimshot",
    "rs": "rimshot",
    "cp": "clap",
    "hh": "hihat_closed",
    "ch": "hihat_closed",
    "oh": "hihat_open",
    "ho": "hihat_open",
    "ph": "hihat_pedal",
    "hp": "hihat_pedal",
    "cr": "crash",
    "rd": "ride",
    "ht": "tom_high",
    "mt": "tom_mid",
    "lt": "tom_low",
    "cb": "cowbell",
    "tb": "tambourine",
    "sh": "shaker",
}
"""Short names of drums in folders and manifests, in lower case, and the names that Ossicle uses."""
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class HitFolders:
    """What the folders of hits say.

    Attributes
    ----------
    groups, labels
        Values of the first and of the last folder, sorted.
    shallow
        Files in fewer than two folders, which have no group or no label; sorted.
    """

    groups: tuple[str, ...]
    labels: tuple[str, ...]
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
        No file is in at least two folders.
    """
    parts = [path.split("/") for path in paths]
    deep = [of for of in parts if len(of) > 2]
    if not deep:
        first = f" as {sorted(paths)[0]}" if paths else ""
        raise UsageError(
            f"--audio {audio}: no file{first} lies in two folders, group/class/file; move the files into a folder for "
            "each group (machine, kit, drummer) and in it one for each class. For class folders without groups use "
            "the recipe birds"
        )
    return HitFolders(
        groups=tuple(sorted({of[0] for of in deep})),
        labels=tuple(sorted({of[-2] for of in deep})),
        shallow=tuple(sorted("/".join(of) for of in parts if len(of) <= 2)),
    )


def short_names(labels: Collection[str]) -> tuple[str, ...]:
    """Return the entries of ``[corpus] label_map`` for the well-known short names among labels.

    Two short names that mean the same drum (hh beside ch) are both left as they are: here they mean two drums.

    >>> short_names(["bd", "SD", "bell"])
    ('SD=snare', 'bd=kick')
    >>> short_names(["hh", "ch", "oh"])
    ('oh=hihat_open',)
    """
    found = {label: SHORT_NAMES[key] for label in sorted(labels) if (key := twin_key(label)) in SHORT_NAMES}
    distinct = Counter(name for _, name in {(twin_key(label), name) for label, name in found.items()})
    return tuple(f"{label}={name}" for label, name in found.items() if distinct[name] == 1)


def _some(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
