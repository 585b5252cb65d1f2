from ossicle.bundle.card import card_text, escaped


def test_the_card_says_what_matters(bundle):
    card = bundle.read_bytes("CARD.md").decode()
    assert card == card_text(bundle)
    for words in ("8000 Hz", "10 ms", "3 labels", "tape", "0.813", "0.700 to 0.900", "cross\\-fitted", "median of 5"):
        assert words in card


def test_a_figure_without_a_basis_is_called_in_sample(bundle):
    rows = [line for line in card_text(bundle).splitlines() if "mystery" in line]
    assert len(rows) == 1
    assert "in\\-sample" in rows[0]


def test_few_groups_are_warned_of(tmp_path, bundle, write):
    assert "**Few groups.** Only 4" in card_text(bundle)
    many = write(tmp_path / "many", split={"group": "tape", "n_groups": 40})
    assert "Few groups" not in card_text(many)


def test_a_bare_bundle_has_a_card(tmp_path, write):
    card = card_text(write(tmp_path / "bare", metrics={}, split={}, provenance={}))
    assert "None recorded" in card
    assert "Not recorded" in card


def test_nothing_from_outside_becomes_markup(tmp_path, write):
    evil = {"name": "<script>x</script>", "value": 1.0, "label": "[a](http://b) | c\n# d"}
    card = card_text(write(tmp_path / "evil", metrics={"figures": [evil, 3]}, split={"<b>": "`x`"}))
    assert "<" not in card
    assert "\n# d" not in card
    assert "](" not in card
    table = [line for line in card.splitlines() if "script" in line]
    assert table[0].replace("\\|", "").count("|") == 6
    assert escaped("a  b\n") == "a b"


def test_the_card_says_what_the_noise_gate_said(tmp_path, write):
    assert "Noise gate" not in card_text(write(tmp_path / "before"))
    assert "## Noise gate\n\nPassed." in card_text(write(tmp_path / "good", metrics={"gate": "passed"}))
    result = card_text(
        write(tmp_path / "off", metrics={"gate": "passed", "gate_exceptions": ["hum is off: 'a' fires <b>"]})
    )
    assert "Passed." not in result
    assert "**Passed with exceptions.**" in result
    assert "- hum is off: 'a' fires &lt;b&gt;" in result
    assert "**Refused:** it fires where" in card_text(write(tmp_path / "bad", metrics={"gate": "refused"}))
    assert "Noise gate" not in card_text(write(tmp_path / "odd", metrics={"gate": "<b>"}))


def test_values_in_values_are_words_and_no_program_text(tmp_path, write):
    split = {"group": "tape", "folds": [{"fold": 0, "recordings": 2}], "ok": True, "leaks": []}
    card = card_text(write(tmp_path / "nested", split=split))
    assert "- folds: fold 0; recordings 2" in card
    assert "- ok: yes" in card
    assert "- leaks: none" in card
    assert "{'" not in card
