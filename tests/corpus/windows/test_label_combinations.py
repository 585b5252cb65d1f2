"""Combinations of labels that no recording of a group has."""

from ossicle.corpus.windows.label_combinations import missing_combinations


def test_missing_combinations_are_listed_by_group() -> None:
    states = [
        ("day", {"ac": "on", "fridge": "on"}),
        ("day", {"ac": "on", "fridge": "off"}),
        ("day", {"ac": "off", "fridge": "on"}),
        ("night", {"ac": "off", "fridge": "off"}),
        ("night", {"ac": "unknown", "fridge": "on"}),
    ]
    assert missing_combinations(states, ["ac", "fridge"]) == [
        ("day", {"ac": "off", "fridge": "off"}),
        ("night", {"ac": "on", "fridge": "on"}),
        ("night", {"ac": "on", "fridge": "off"}),
        ("night", {"ac": "off", "fridge": "on"}),
    ]


def test_of_many_labels_pairs_are_looked_at() -> None:
    labels = ["a", "b", "c", "d"]
    states = [("day", dict(zip(labels, values, strict=True))) for values in (["on"] * 4, ["off"] * 4)]
    missing = missing_combinations(states, labels)
    assert len(missing) == 12
    assert ("day", {"a": "on", "d": "off"}) in missing
