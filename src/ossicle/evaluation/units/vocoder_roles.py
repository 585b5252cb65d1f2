"""Which groups train a vocoder and its quantiser, which choose the epoch that is kept, and which are judged."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from ossicle.core.errors import UsageError
from ossicle.core.text.counting import counted
from ossicle.core.text.suggestion import did_you_mean

TRAINS, CHOOSES, JUDGED = "trains", "chooses", "judged"
RECORDING = "recording"
"""The field that holds out each recording by itself."""
LEAST_GROUPS = 3
ONE_IN = 20
"""Of so many groups, one is judged, and one chooses; always at least one of each."""
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class SpeechSource:
    """Where a segment comes from.

    Attributes
    ----------
    segment_id
        The segment.
    path
        Path of its recording below the root.
    group
        Its group; empty if it has none.
    """

    segment_id: str
    path: str
    group: str


@dataclass(frozen=True)
class VocoderRoles:
    """The roles of groups, or of recordings where there are too few groups.

    Attributes
    ----------
    field
        The field of the groups, ``split.group``.
    of_recordings
        Whether recordings take the place of groups, because there are fewer than three groups.
    trains, chooses, judged
        Names of groups, or paths of recordings, of each role; sorted.
    sources
        All segments.
    """

    field: str
    of_recordings: bool
    trains: tuple[str, ...]
    chooses: tuple[str, ...]
    judged: tuple[str, ...]
    sources: tuple[SpeechSource, ...]

    @cached_property
    def by_segment(self) -> dict[str, str]:
        """The role of each segment: :data:`TRAINS`, :data:`CHOOSES` or :data:`JUDGED`."""
        role = dict.fromkeys(self.trains, TRAINS)
        role |= dict.fromkeys(self.chooses, CHOOSES) | dict.fromkeys(self.judged, JUDGED)
        return {source.segment_id: role[_name(source, self.of_recordings)] for source in self.sources}

    def segments(self, role: str) -> frozenset[str]:
        """Return the segments of a role."""
        return frozenset(key for key, segment_role in self.by_segment.items() if segment_role == role)

    @property
    def basis(self) -> str:
        """What is held out, for figures: ``held out by speaker``, or that all voices are known."""
        if self.of_recordings:
            return f"held-out recordings of known {self.field}s" if self.field != RECORDING else "held-out recordings"
        return f"held out by {self.field}"

    @property
    def judged_on(self) -> str:
        """What the figures are of, and what they say nothing about, in sentences for people."""
        noun = RECORDING if self.of_recordings else self.field
        is_single = len(self.judged) == 1
        text = (
            f"Judged on {counted(len(self.judged), noun)} ({_listed_names(self.judged)}): neither the quantiser nor "
            f"the vocoder was trained on {'it' if is_single else 'them'}, and {'it' if is_single else 'they'} did not "
            "choose the epoch."
        )
        if self.of_recordings and self.field != RECORDING:
            text += (
                f" There are too few groups by {self.field} to hold any out: all voices are known, so the figures say "
                "nothing about new ones."
            )
        elif noun == RECORDING:
            text += (
                " Who speaks is not known: the same voices may be in training (name them with [split] group and "
                "[corpus] name_template)."
            )
        return text

    @property
    def in_words(self) -> str:
        """Who trains, chooses and is judged, in a sentence."""
        noun = RECORDING if self.of_recordings else self.field
        roles = ((self.trains, "train"), (self.chooses, "choose the epoch"), (self.judged, "are judged"))
        parts = [f"{counted(len(names), noun)} {_verb(names, verb)} ({_listed_names(names)})" for names, verb in roles]
        more = ""
        if self.of_recordings and self.field != RECORDING:
            more = f"; there are too few groups by {self.field} to hold any out, so all voices are known"
        return ", ".join(parts) + more


def vocoder_roles(
    sources: Iterable[SpeechSource], field: str, choose: Sequence[str] = (), judge: Sequence[str] = ()
) -> VocoderRoles:
    """Return the roles of the groups of some segments.

    The names of the groups are sorted. The last one in twenty, and at least one, is judged; as many before these choose
    the epoch; all others train. Names that are given have priority. With fewer than three groups, recordings take their
    place.

    Parameters
    ----------
    sources
        All segments. A segment without a group is in a group with its recording's path as its name.
    field
        The field of the groups, for messages.
    choose, judge
        Names of groups that choose, or are judged; empty: by the rule.

    Raises
    ------
    UsageError
        A name is unknown or has both roles, no group is left to train, or there are fewer than three recordings.

    Examples
    --------
    >>> found = vocoder_roles([SpeechSource(f"{name}#0", name, name) for name in "badc"], "speaker")
    >>> found.trains, found.chooses, found.judged
    (('a', 'b'), ('c',), ('d',))
    >>> sorted(found.segments(TRAINS)), found.basis
    (['a#0', 'b#0'], 'held out by speaker')
    """
    all_sources = tuple(sources)
    of_recordings = len({_name(speech_source, of_recordings=False) for speech_source in all_sources}) < LEAST_GROUPS
    names = sorted({_name(speech_source, of_recordings) for speech_source in all_sources})
    if len(names) < LEAST_GROUPS:
        raise UsageError(
            f"[vocoder] preset: a vocoder needs speech to train on, to choose the epoch and to be judged on, from at "
            f"least {LEAST_GROUPS} groups or recordings, and there {'is' if len(names) == 1 else 'are'} "
            f'{counted(len(names), "recording")}; add recordings, cut this one into files, or set preset = ""'
        )
    noun = RECORDING if of_recordings else field
    for key, named_groups in (("choose", choose), ("judge", judge)):
        _refuse_unknown(key, named_groups, names, noun, few=of_recordings and field != RECORDING)
    if both := sorted(set(choose) & set(judge)):
        raise UsageError(f"[vocoder] choose and judge both name {both[0]!r}; give each group one role")
    count = max(1, len(names) // ONE_IN)
    free = [name for name in names if name not in {*choose, *judge}]
    judged = tuple(sorted(judge)) or tuple(free[len(free) - count :])
    free = [name for name in free if name not in judged]
    chooses = tuple(sorted(choose)) or tuple(free[max(0, len(free) - count) :])
    trains = tuple(name for name in free if name not in chooses)
    if not trains or not chooses or not judged:
        raise UsageError(
            f"[vocoder] choose, judge: no {noun} is left to train on, of {len(names)}; name fewer in choose and judge"
        )
    return VocoderRoles(field, of_recordings, trains, chooses, judged, all_sources)


def _name(source: SpeechSource, of_recordings: bool) -> str:
    return source.path if of_recordings else source.group or source.path


def _refuse_unknown(key: str, named_groups: Collection[str], names: Sequence[str], noun: str, *, few: bool) -> None:
    for name in named_groups:
        if name not in names:
            instead = "; with fewer than three groups, recordings take their place: name their paths" if few else ""
            raise UsageError(
                f"[vocoder] {key} = {name!r}: no {noun} with segments has this name{instead}; "
                f"{did_you_mean(name, names)}"
            )


def _verb(names: Sequence[str], verb: str) -> str:
    """Return a verb for one name or several.

    >>> _verb(["a"], "choose the epoch"), _verb(["a"], "are judged"), _verb(["a", "b"], "train")
    ('chooses the epoch', 'is judged', 'train')
    """
    if len(names) > 1:
        return verb
    first, *rest = verb.split(" ")
    return " ".join(["is" if first == "are" else f"{first}s", *rest])


def _listed_names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
