import pytest

from ossicle.core.errors import UsageError
from ossicle.corpus.naming.name_template import Template, infer_template, stem_of, top_folder


@pytest.mark.parametrize(
    ("template", "stem", "fields"),
    [
        (
            "site{site}_{date}_{time}_tape",
            "siteA_20250610_050000_tape",
            {"site": "A", "date": "20250610", "time": "050000"},
        ),
        (
            "site{site}_{date}_{time}_tape",
            "siteD_20250613_052100.23_tape",
            {"site": "D", "date": "20250613", "time": "052100.23"},
        ),
        ("site{site}_*", "siteNord Ost_x_y", {"site": "Nord Ost"}),
        ("{animal}_{rest}", "Ålpaca_2020_tag_cut", {"animal": "Ålpaca", "rest": "2020_tag_cut"}),
        ("{digit}_{speaker}_{take}", "7_jackson_32", {"digit": "7", "speaker": "jackson", "take": "32"}),
        ("ac-{ac}-fridge-{fridge}-{part}", "ac-on-fridge-off-day", {"ac": "on", "fridge": "off", "part": "day"}),
        ("ac-{ac:on|off}-fridge-{fridge:on|off}-*", "ac-on-fridge-off-day", {"ac": "on", "fridge": "off"}),
        ("ac-{ac:on|off}-fridge-{fridge:on|off}-*", "ac-on-fridge-of-day", None),
        ("{x:a.b|c}_*", "a.b_1", {"x": "a.b"}),
        ("{machine}/{kind}/*", "deep/808/bd/kick_1", {"machine": "808", "kind": "bd"}),
        ("{bird}*", "wren12_a", {"bird": "wren12"}),
        ("a.b({x})", "a.b(1)", {"x": "1"}),
        ("site{site}_*", "folder/siteA_1", {"site": "A"}),
        ("site{site}_*", "plotA_1", None),
        ("site{site}_*", "site_1", None),
        ("{a}_end", "x_y_end", None),
        ("{machine}/{kind}/*", "bd/kick", None),
        ("axb{x}", "a.b1", None),
        ("{tape:*}.wav_{start:#}_{end:#}", "a_b.wav_1_2.5", {"tape": "a_b", "start": "1", "end": "2.5"}),
        ("{tape:*}_{start:#}_{end:#}", "a_1_2_3e-05", {"tape": "a_1", "start": "2", "end": "3e-05"}),
        ("{start:#}_x", "-1_x", None),
        ("{start:#}_x", "1._x", None),
        ("{start:#}_x", "٣_x", None),
        ("{animal:*}_{date:#}_*", "Zoë B_2_20250610_cut", {"animal": "Zoë B", "date": "2"}),
        ("{tape:*}*", "abc", {"tape": "abc"}),
        ("{a:*}/{b:*}_x", "c_d/e_f_x", {"a": "c_d", "b": "e_f"}),
        # Composed and decomposed letters are the same, whoever wrote them.
        ("Cafe\u0301_{n}", "Caf\u00e9_1", {"n": "1"}),
        ("Caf\u00e9_{n}", "Cafe\u0301_1", {"n": "1"}),
        ("{site:Cafe\u0301|Bar}_{n}", "Caf\u00e9_1", {"site": "Caf\u00e9", "n": "1"}),
        ("{site}_{n}", "Cafe\u0301_1", {"site": "Caf\u00e9", "n": "1"}),
    ],
)
def test_templates(template, stem, fields):
    assert Template(template).parse(stem) == fields


@pytest.mark.parametrize("bad", ["{a}{b}", "{a", "a}", "{}", "{a b}", "{a}_{a}", "{1}", "{a:}", "{a:x|}", "{a:x/y}"])
def test_a_senseless_template_is_refused_with_its_text(bad):
    with pytest.raises(UsageError, match="name_template"):
        Template(bad)
    with pytest.raises(UsageError, match="clip_names"):
        Template(bad, "clip_names")


@pytest.mark.parametrize(
    ("stems", "group", "template"),
    [
        (["siteA_20250610_050000_tape", "siteD_20250613_052100.23_tape"], "site", "site{site}_*"),
        (["x_site-3", "yy_site-44"], "site", "*_site-{site}"),
        (["site-1/a", "site-2/b c"], "site", "site-{site}/*"),
        (["rec_site_3_a", "rec_site_4_b"], "site", "*_site_{site}_*"),
        (["A_20250610_1", "B_20250611_2"], "date", "*_{date}_*"),
        (["a", "b"], "site", None),
        (["siteA_1", "plot_2"], "site", None),
        (["offsite_1", "offsite_2"], "site", None),
        ([], "site", None),
    ],
)
def test_a_template_is_found_only_where_it_reads_every_name(stems, group, template):
    result = infer_template(stems, group)
    assert result == template
    if result:
        assert all(Template(result).parse(stem)[group] for stem in stems)


def test_only_the_audio_suffix_goes():
    assert stem_of("a.b/x.23_tape.WAV", {".wav"}) == "a.b/x.23_tape"
    assert stem_of("x.23_tape", {".wav"}) == "x.23_tape"
    assert (top_folder("a/b/c.wav"), top_folder("c.wav")) == ("a", ".")
