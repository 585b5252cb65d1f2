import pytest

from ossicle.evaluation.notes.nothing_found import nothing_found


@pytest.mark.parametrize(
    ("n_reference", "n_predicted", "tp", "words"),
    [
        (64, 0, 0, "it finds none of the 64 annotations out of fold, and detects nothing at all"),
        (64, 7, 0, "it finds none of the 64 annotations out of fold; its 7 detections are all false"),
        (64, 7, 1, ""),
        (0, 7, 0, ""),
    ],
)
def test_a_detector_without_a_single_hit_is_called_so(n_reference: int, n_predicted: int, tp: int, words: str) -> None:
    assert nothing_found({"n_reference": n_reference, "n_predicted": n_predicted, "tp": tp}) == words
