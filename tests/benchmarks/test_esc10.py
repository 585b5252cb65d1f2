"""The published protocol of ESC-10: which clip lies in which fold, and tables of accuracy by fold."""

from pathlib import Path
from typing import Any

import pytest


def corpus(place: Path, names: dict[str, list[str]]) -> Path:
    for label, stems in names.items():
        (place / label).mkdir(parents=True)
        for stem in stems:
            (place / label / f"{stem}.ogg").touch()
    return place


def test_clips_have_the_fold_and_the_source_of_their_names(tmp_path: Path) -> None:
    from esc10 import esc10_clips

    folder = corpus(tmp_path, {"rain": ["1-17367-A", "2-8-B", "3-9-A"], "dog_bark": ["4-1-A", "5-2-A"]})
    result = [(one.label, one.fold, one.source) for one in esc10_clips(folder)]
    assert result == [
        ("dog_bark", 4, "1"), ("dog_bark", 5, "2"), ("rain", 1, "17367"), ("rain", 2, "8"), ("rain", 3, "9"),
    ]  # fmt: skip


def test_a_source_in_two_folds_is_refused(tmp_path: Path) -> None:
    from esc10 import esc10_clips

    folder = corpus(tmp_path, {"rain": ["1-7-A", "2-7-B", "3-9-A", "4-1-A", "5-2-A"]})
    with pytest.raises(ValueError, match="recordings 7 lie in several folds"):
        esc10_clips(folder)


def test_a_missing_fold_is_refused(tmp_path: Path) -> None:
    from esc10 import esc10_clips

    with pytest.raises(ValueError, match=r"no clips of folds \[2, 5\]"):
        esc10_clips(corpus(tmp_path, {"rain": ["1-7-A", "3-9-A", "4-1-A"]}))


def test_the_real_corpus_is_the_published_one(real_data: Path) -> None:
    from esc10 import FOLDS, esc10_clips

    clips = esc10_clips(real_data / "esc10")
    assert [sum(clip.fold == fold for clip in clips) for fold in FOLDS] == [80] * 5
    assert len({clip.label for clip in clips}) == 10


def test_means_are_over_seeds_and_the_spread_is_of_their_means_over_folds() -> None:
    from esc10 import accuracy_table

    text = accuracy_table({"ours": {0: [80.0, 90.0, 90.0, 90.0, 90.0], 1: [90.0] * 5}}, published={})
    assert text.splitlines()[-1] == "| ours | 2 | 85.0 | 90.0 | 90.0 | 90.0 | 90.0 | **89.00** | 1.41 |"


def test_one_seed_has_no_spread_and_published_figures_follow() -> None:
    from esc10 import accuracy_table

    rows = accuracy_table({"ours": {3: [50.0] * 5}}, published={"k-NN": [60.0] * 5}).splitlines()
    assert rows[-2] == "| ours | 1 | 50.0 | 50.0 | 50.0 | 50.0 | 50.0 | **50.00** | – |"
    assert rows[-1] == "| k-NN, published | 1 | 60.0 | 60.0 | 60.0 | 60.0 | 60.0 | 60.00 | – |"


def test_four_folds_are_no_protocol() -> None:
    from esc10 import accuracy_table

    with pytest.raises(ValueError, match="seed 0: 4 accuracies"):
        accuracy_table({"ours": {0: [80.0] * 4}})


def metrics(accuracies: list[float | None]) -> dict[str, Any]:
    rows = [{"fold": k, "n": 80, "accuracy": value} for k, value in enumerate(accuracies)]
    confusion = {"labels": ["dog", "rain"], "counts": [[40, 3], [1, 36]]}
    figures = {"per_fold": rows[::-1], "confusion": confusion, "macro": {"roc_auc": {"value": 0.99}}}
    return {"recordings": figures}


def test_fold_accuracies_are_in_order_and_in_percent() -> None:
    from bench_esc10 import fold_accuracies

    assert fold_accuracies(metrics([0.5, 0.6, 0.7, 0.8, 0.9])) == pytest.approx([50, 60, 70, 80, 90])


def test_recordings_with_several_labels_are_refused() -> None:
    from bench_esc10 import fold_accuracies

    with pytest.raises(ValueError, match="1 have no accuracy"):
        fold_accuracies(metrics([0.5, 0.6, None, 0.8, 0.9]))


def test_confusions_add_up_over_seeds() -> None:
    from bench_esc10 import confusions

    text = confusions([metrics([1.0] * 5), metrics([1.0] * 5)])
    assert "dog as rain (6), rain as dog (2)" in text


def test_the_page_says_what_was_met_and_what_was_declared() -> None:
    from bench_esc10 import page

    kept = {
        0: {"metrics": metrics([0.8, 0.9, 0.9, 0.9, 0.9]), "gate": "passed"},
        1: {"metrics": metrics([0.9] * 5), "gate": "refused", "parameters": 2_000_000, "graph_mib": 8.0},
    }
    text = page(kept, {0: 20.0, 1: 21.0}, "abc", ["training.epochs=80"])
    assert "mean **89.00** ± 1.41 over seeds. 88 asked: met; 92 aimed at: not reached." in text
    assert "`training.epochs=80`" in text
    assert "41 minutes in all" in text
    assert "2.00 million parameters" in text
    assert "| 1 | 90.0 | 90.0 | 90.0 | 90.0 | 90.0 | **90.00** | 0.0 | 0.9900 | refused | 21.0 |" in text


def test_no_more_than_four_settings_are_declared() -> None:
    from bench_esc10 import DECLARED

    assert len(DECLARED) <= 4
    assert all("=" in one and not one.startswith("training.seed") for one in DECLARED)
