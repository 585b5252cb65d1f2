"""Roles of groups for a vocoder: the rule, names that are given, and what cannot be held out."""

import pytest

from ossicle.core.errors import UsageError
from ossicle.evaluation.units.vocoder_roles import CHOOSES, JUDGED, TRAINS, SpeechSource, vocoder_roles


def sources(*groups: str, files: int = 2) -> list[SpeechSource]:
    """Two segments of each recording, some recordings of each group."""
    return [
        SpeechSource(f"{group}{file}#{number}", f"{group}_{file}.wav", group)
        for group in groups
        for file in range(files)
        for number in range(2)
    ]


def test_every_segment_has_one_role_and_no_group_two() -> None:
    roles = vocoder_roles(sources("d", "a", "c", "b"), "speaker")
    assert (roles.trains, roles.chooses, roles.judged) == (("a", "b"), ("c",), ("d",))
    parts = [roles.segments(role) for role in (TRAINS, CHOOSES, JUDGED)]
    assert sum(map(len, parts)) == len(frozenset().union(*parts)) == 16
    assert {segment[0] for segment in roles.segments(JUDGED)} == {"d"}
    assert roles.basis == "held out by speaker"
    assert roles.judged_on == (
        "Judged on 1 speaker (d): neither the quantiser nor the vocoder was trained on it, and it did not choose the "
        "epoch."
    )


def test_one_group_in_twenty_is_judged() -> None:
    roles = vocoder_roles(sources(*(f"s{number:02d}" for number in range(45))), "speaker")
    assert (len(roles.trains), roles.chooses, roles.judged) == (41, ("s41", "s42"), ("s43", "s44"))


def test_given_names_have_priority() -> None:
    roles = vocoder_roles(sources("a", "b", "c", "d"), "speaker", judge=["a"])
    assert (roles.trains, roles.chooses, roles.judged) == (("b", "c"), ("d",), ("a",))
    roles = vocoder_roles(sources("a", "b", "c", "d"), "speaker", choose=["d"], judge=["b", "a"])
    assert (roles.trains, roles.chooses, roles.judged) == (("c",), ("d",), ("a", "b"))


@pytest.mark.parametrize("groups", [("a",), ("a", "b"), ()])
def test_with_few_groups_recordings_are_held_out_and_named_so(groups: tuple[str, ...]) -> None:
    given = sources(*groups) if len(groups) != 1 else sources("a", files=3)
    if not groups:
        given = [SpeechSource(f"{n}#0", f"{n}.wav", "") for n in range(2)]
        with pytest.raises(UsageError, match="there are 2 recordings; add recordings"):
            vocoder_roles(given, "speaker")
        return
    roles = vocoder_roles(given, "speaker")
    assert roles.of_recordings
    assert roles.judged == (given[-1].path,)
    assert roles.basis == "held-out recordings of known speakers"
    assert "all voices are known" in roles.in_words
    assert "the figures say nothing about new ones" in roles.judged_on


def test_groups_that_are_recordings_are_named_so() -> None:
    roles = vocoder_roles([SpeechSource(f"{n}#0", f"{n}.wav", f"{n}.wav") for n in range(3)], "recording")
    assert not roles.of_recordings
    assert roles.basis == "held out by recording"


@pytest.mark.parametrize(
    ("groups", "choose", "judge", "said"),
    [
        ("abc", (), ("theo",), r"\[vocoder\] judge = 'theo': no speaker with segments has this name.*a, b, c"),
        ("abc", ("x",), (), r"\[vocoder\] choose = 'x'"),
        ("ab", (), ("a",), "recordings take their place: name their paths"),
        ("abc", ("a",), ("a",), "choose and judge both name 'a'"),
        ("abc", ("a",), ("b", "c"), "no speaker is left to train on, of 3"),
        ("abc", (), ("a", "b"), "no speaker is left to train on, of 3"),
        ("abc", (), ("a", "b", "c"), "no speaker is left to train on, of 3"),
    ],
)
def test_impossible_roles_are_refused(groups: str, choose: tuple[str, ...], judge: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        vocoder_roles(sources(*groups), "speaker", choose, judge)
