"""Notes that come for every file are shortened; others are kept."""

from ossicle.corpus.notes import Note, shortened


def test_only_the_first_of_many_are_kept_and_the_rest_counted() -> None:
    many = [Note("many", str(k), "x") for k in range(7)]
    other = Note("other", "o", "y")
    notes = shortened([other, *many, other], {"many"}, most=5)
    assert notes == [other, *many[:5], other, Note("many", "0", "and 2 more like it")]
    assert shortened(many[:5], {"many"}, most=5) == many[:5]
