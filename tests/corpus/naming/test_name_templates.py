import pytest

from ossicle.core.errors import UsageError
from ossicle.corpus.naming.name_templates import Templates


def test_the_first_template_that_fits_gives_the_fields() -> None:
    both = Templates(("site{site}_{date:#}", "site{place}_*", "{bird}-f*"))
    assert both.parse("deep/siteA_20250610") == {"site": "A", "date": "20250610"}
    assert both.parse("siteA_x_y") == {"place": "A"}
    assert both.parse("R3406-f2") == {"bird": "R3406"}
    assert both.parse("zf R3406") is None
    assert both.names == ("site", "date", "place", "bird")
    assert both.in_words == "any of 'site{site}_{date:#}', 'site{place}_*', '{bird}-f*'"


def test_one_template_and_none_at_all() -> None:
    assert Templates("site{site}_*").in_words == "'site{site}_*'"
    for nothing in (Templates(""), Templates(()), Templates(("",))):
        assert (nothing.texts, nothing.names, nothing.parse("siteA_1")) == ((), (), None)


def test_fields_are_those_of_some_template() -> None:
    both = Templates(("site{site}_{date:#}", "{bird}-f*"))
    assert both.fit({"bird": "R1"})
    assert not both.fit({"site": "A"})


def test_an_invalid_template_is_named() -> None:
    with pytest.raises(UsageError, match=r"corpus\.name_template 'site\{site_\*': a brace is not closed"):
        Templates(("{bird}-f*", "site{site_*"), "corpus.name_template")


APPLIANCES = "ac-{ac:on|off}-fridge-{fridge:on|off}-{daypart:day|night}"


@pytest.mark.parametrize("template", [APPLIANCES, f"{APPLIANCES}.m4a", f"{APPLIANCES}.WAV"])
def test_a_template_may_end_in_an_audio_suffix_and_fits_any_format(template: str) -> None:
    templates = Templates(template)
    assert templates.parse("takes/ac-on-fridge-off-day") == {"ac": "on", "fridge": "off", "daypart": "day"}
    assert templates.names == ("ac", "fridge", "daypart")
    assert templates.mismatch_in_words("ac-on-fridge-off-day") == ""


@pytest.mark.parametrize(
    ("stem", "place"),
    [
        ("ac-maybe-fridge-on-day", "at character 4 there should be {ac} as on or off"),
        ("x/ac-on-frigde-on-day", "at character 10 there should be 'dge-'"),
        ("ac-on-fridge-off-dusk", "at character 18 there should be {daypart} as day or night"),
        ("ac-on-fridge-off-day2", "at character 21 there should be the end of the name"),
        ("ac-on", "at character 6 there should be '-fridge-'"),
        ("", "at character 1 there should be 'ac-'"),
    ],
)
@pytest.mark.parametrize("suffix", ["", ".m4a"])
def test_the_place_where_a_name_fails_is_named(stem: str, place: str, suffix: str) -> None:
    assert Templates(APPLIANCES + suffix).mismatch_in_words(stem) == place


def test_of_several_templates_the_farthest_place_counts() -> None:
    both = Templates(("site{site}_{date:#}", "{bird}-f{take:#}"))
    assert both.mismatch_in_words("siteA_june") == "at character 7 there should be {date} as a number"
    assert both.mismatch_in_words("R1-fx") == "at character 5 there should be {take} as a number"
    assert both.mismatch_in_words("R1-f2") == ""
    assert Templates(()).mismatch_in_words("R1") == ""
