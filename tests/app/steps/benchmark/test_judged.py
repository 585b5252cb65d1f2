from ossicle.app.steps.benchmark.judged import unknown_labels_mark


def test_labels_that_a_model_does_not_know_are_named_up_to_five() -> None:
    assert unknown_labels_mark(["crow", "owl"], ["owl", "crow", "wren"]) == ""
    assert unknown_labels_mark(["crow", "owl"], ["crow"]) == "does not know 'owl', which counts as missed"
    many = unknown_labels_mark([f"bird {n}" for n in range(7)], ["crow"])
    assert many == ("does not know 'bird 0', 'bird 1', 'bird 2', 'bird 3', 'bird 4' and 2 more, which count as missed")
