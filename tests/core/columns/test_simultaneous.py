"""Simultaneous hits as one target."""

from hypothesis import given
from hypothesis import strategies as st

from ossicle.core.columns.annotation_columns import AnnotationColumns
from ossicle.core.columns.simultaneous import MergedTargets, at_first_starts, onset_groups
from ossicle.core.records import Annotation

LABELS = ("hat", "kick", "snare")


def hits(*rows: tuple[str, float, str]) -> AnnotationColumns:
    return AnnotationColumns.from_annotations([Annotation(rid, s, s + 0.2, label) for rid, s, label in sorted(rows)])


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 60), st.sampled_from(LABELS)), max_size=25),
    st.sampled_from([0.01, 0.02, 0.03]),
)
def test_a_group_reaches_from_its_first_hit(rows: list[tuple[str, int, str]], within_s: float) -> None:
    notes = hits(*((rid, step / 100, label) for rid, step, label in rows))
    groups = onset_groups(notes, within_s).tolist()
    # One by one, with hundredths as whole numbers.
    first: dict[str, int] = {}
    number, wanted = -1, {}
    for rid, step in sorted({(rid, step) for rid, step, _ in rows}):
        if rid not in first or step - first[rid] > round(100 * within_s):
            first[rid], number = step, number + 1
        wanted[rid, step] = number
    assert groups == [wanted[note.recording_id, round(100 * note.start_s)] for note in notes]


def test_hits_of_a_group_start_together_and_later_ones_stay() -> None:
    notes = hits(("a", 1.0, "kick"), ("a", 1.02, "hat"), ("a", 1.1, "snare"))
    moved = at_first_starts(notes, onset_groups(notes, 0.03))
    assert [(annotation.start_s, annotation.end_s, annotation.label) for annotation in moved] == [
        (1.0, 1.2, "kick"),
        (1.0, 1.22, "hat"),
        (1.1, 1.3, "snare"),
    ]
    assert len(at_first_starts(hits(), onset_groups(hits(), 0.03))) == 0


def test_a_clip_has_the_labels_of_its_group_alone() -> None:
    notes = hits(("a", 1.0, "kick"), ("a", 1.02, "hat"), ("a", 1.1, "snare"), ("b", 1.0, "snare"))
    merged = MergedTargets(notes, onset_groups(notes, 0.03))
    assert merged.labels_at("a", 1.0, "kick") == merged.labels_at("a", 1.02, "hat") == ("hat", "kick")
    assert merged.labels_at("a", 1.1, "snare") == ("snare",)
    assert merged.labels_at("b", 1.0, "snare") == ("snare",)
    # A clip that no annotation has keeps its own label.
    assert merged.labels_at("a", 7.0, "kick") == ("kick",)
    assert merged.labels_at("a", 7.0, "gong") == ("gong",)
