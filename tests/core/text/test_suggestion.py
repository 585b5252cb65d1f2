import pytest

from ossicle.core.text.suggestion import did_you_mean


@pytest.mark.parametrize(
    ("name", "known", "most", "said"),
    [
        ("wyde", ["narrow", "wide"], 1, "did you mean 'wide'?"),
        ("resnet19", ["resnet18", "resnet10", "vit"], 3, "did you mean 'resnet18' or 'resnet10'?"),
        ("abcx", ["abcd", "abce", "abcf"], 3, "did you mean 'abcf', 'abce' or 'abcd'?"),
        ("zzz", ["quick", "standard", "long"], 1, "choose one of: quick, standard, long"),
        ("zzz", ["a", "b", "a"], 1, "choose one of: a, b"),
        ("zzz", [], 1, ""),
        ("", ["a"], 1, "choose one of: a"),
    ],
)
def test_the_closest_names_are_suggested_and_else_all_are_listed(
    name: str, known: list[str], most: int, said: str
) -> None:
    assert did_you_mean(name, known, most) == said


def test_a_long_list_is_cut() -> None:
    message = did_you_mean("zzz", map(str, range(100)))
    assert message.startswith("choose one of: 0, 1, ")
    assert message.endswith(", 19 and 80 more")
