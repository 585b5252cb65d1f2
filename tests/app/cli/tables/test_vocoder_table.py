from ossicle.app.cli.tables.vocoder_table import vocoder_remarks


def test_one_segment_and_several_are_counted() -> None:
    figures = {"segments": 1, "recordings": 1, "in_words": "c is judged", "verdict": {"bars": []}}
    assert vocoder_remarks(figures)[0] == "1 segment of 1 recording is judged; c is judged"
    many = figures | {"segments": 3, "recordings": 2}
    assert vocoder_remarks(many)[0] == "3 segments of 2 recordings are judged; c is judged"
