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
