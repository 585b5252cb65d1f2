from ossicle.core.text.controls import control_name, first_control, is_control

ORDERS = ("\n", "\r", "\t", "\0", "\x1b", "\x7f", "\x9b", "\x85", "\u2028", "\u2029", "\u202a", "\u202e", "\u2066")
ORDERS += ("\u2069", "\u200e", "\u200f", "\u061c", "\u200b", "\ufeff", "\ud800", "\udcff", "\U000e0041")


def test_characters_that_give_orders_are_found_anywhere() -> None:
    for one in ORDERS:
        assert first_control(f"a{one}b") == one, ascii(one)
        assert first_control(one + "x") == one


def test_names_of_any_script_are_plain() -> None:
    for text in (
        "",
        "Strix aluco",
        "site A/2025",
        "日本 語",
        "می\u200cخواهم",
        "é",
        "e\u0301",
        "😀\u200d🔥",
        "\u3000",
        "\xa0",
        "\ue000",
    ):
        assert first_control(text) is None, ascii(text)


def test_a_message_names_the_character() -> None:
    assert control_name("\r") == control_name("\u2028") == "a line end"
    assert control_name("\u202e") == "U+202E (RIGHT-TO-LEFT OVERRIDE)"
    assert control_name("\x1b") == "U+001B"
    assert is_control("\x1b")
