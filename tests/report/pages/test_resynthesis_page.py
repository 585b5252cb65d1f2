"""The page to listen to a vocoder, from made voices."""

import base64
import io
import re
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from tests.metrics.speech.pairs import made_pairs

from ossicle.evaluation.units.resynthesis.figures import resynthesis_figures
from ossicle.evaluation.units.resynthesis.pairs import judge_pair
from ossicle.evaluation.units.resynthesis.settings import ResynthesisSettings
from ossicle.evaluation.units.resynthesis.verdict import verdict
from ossicle.report.pages import resynthesis_page
from ossicle.report.pages.resynthesis_page import common_gain, render, write_resynthesis_report
from ossicle.report.resynthesis_data import PairCard, ResynthesisReportData

from .test_page import HOSTILE

RATE = 8000


def cards(n=3):
    out = []
    for number, (one, other) in enumerate(made_pairs(n, RATE)):
        baseline = other[::-1].copy()
        judged, beside = (judge_pair(one, made, RATE, seams=np.array([800])) for made in (other, baseline))
        out.append(PairCard(f"ada/{number}.wav", 61.5 * number, "ada", one, other, judged, baseline, beside))
    return out


@pytest.fixture(scope="module")
def data():
    pairs = cards()
    names, groups = [pair.path for pair in pairs], ["ada"] * len(pairs)
    figures = resynthesis_figures([pair.judged for pair in pairs], names, groups)
    return ResynthesisReportData(
        title="digits",
        summary={"units": "100, one every 20 ms"},
        figures=figures,
        baseline=resynthesis_figures([pair.baseline_judged for pair in pairs], names, groups),
        verdict=verdict(figures, ResynthesisSettings(most_mcd_db=0.5, least_length=0.5, most_length=2.0)),
        basis="Judged on ada, a speaker who neither trained nor chose the epoch.",
        held_out=True,
        notes=["A speaker that was not in training gets the mean of the 2 voices."],
        pairs=pairs,
        rate=RATE,
        files={"figures": "metrics.json", "elsewhere": "../x"},
    )


def test_the_page_shows_pairs_figures_verdict_and_what_they_mean(tmp_path, data):
    write_resynthesis_report(tmp_path / "page.html", data)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page == render(data)
    for text in (
        "misses 1 of its bars",
        f"mel-cepstral distortion (MCD) is {data.figures['mcd_db'].value:.2f} dB, and must be at most 0.5",
        "Judged on ada",
        "gets the mean of the 2 voices",
        "held out</span>",
        "ada/1.wav",
        "from 1:01.50; ada",
        "shown only: it never decides",
        "Units hold no phases",
        "clicks where units or blocks meet",
    ):
        assert text in page
    assert page.count('class="tag note">phase-blind') == 2
    assert page.count("<audio") == page.count('class="card"') == 9
    assert "../x" not in page


def test_a_page_that_passes_without_baseline_and_of_known_speakers_says_so(data):
    figures = data.figures
    passed = verdict(figures, ResynthesisSettings(most_mcd_db=90.0, least_length=0.5, most_length=2.0))
    alone = [replace(pair, baseline=pair.original[:0], baseline_judged=None) for pair in data.pairs]
    page = render(replace(data, verdict=passed, baseline={}, pairs=alone, held_out=False))
    assert "reaches its bars" in page
    assert '<span class="tag warn">not held out</span>' in page
    assert "Griffin" not in page
    assert page.count('class="card"') == 6
    assert "before training" not in page
    assert "before training" in render(replace(data, start=figures))


def test_undefined_figures_are_dashes_and_never_zero(data):
    silence = np.zeros(1600, np.float32)
    judged = judge_pair(silence, silence, RATE)
    card = PairCard("silence.wav", 0.0, "", silence, silence, judged, silence[:0], None)
    figures = resynthesis_figures([judged], ["silence.wav"], ["x"])
    page = render(
        replace(data, pairs=[card], figures=figures, baseline={}, verdict=verdict(figures, ResynthesisSettings()))
    )
    row = re.search(r"<tr><th scope=\"row\">F0 error, cents<small>.*?</tr>", page)
    assert row is not None
    assert '<td class="n">–</td>' in row.group()
    assert "nan" not in page.lower().replace("nano", "")


def test_defects_are_named_at_their_pair_and_counted(data):
    card = data.pairs[0]
    broken = np.clip(30 * card.made, -1, 1).astype(np.float32)
    page = render(replace(data, pairs=[replace(card, judged=judge_pair(card.original, broken, RATE)), data.pairs[1]]))
    assert "samples are clipped" in page
    row = r"that are clipped</th><td class=\"n\">1 of 2</td><td class=\"n\">0 of 2</td>"
    assert re.search(row, page)


def test_sounds_of_a_pair_are_heard_together_or_not_at_all(data, monkeypatch):
    of_first = sum(2 * len(one) for one in (data.pairs[0].original, data.pairs[0].made, data.pairs[0].baseline))
    monkeypatch.setattr(resynthesis_page, "MOST_SOUND_BYTES", of_first)
    page = render(data)
    assert page.count("<audio") == 3
    assert page.count("without sound, to keep the page small") == 6


def test_a_page_of_many_pairs_shows_some_and_links_all(data, monkeypatch):
    """A page of 500 pairs had 37 MB."""
    monkeypatch.setattr(resynthesis_page, "MOST_PAIRS", 2)
    made = cards(5)
    pairs = [replace(one, path=f"a/{n}.wav", place=f"a/{n} #1") for n, one in enumerate(made)]
    page = render(replace(data, pairs=pairs, sounds="resynthesis/"))
    assert page.count('class="card"') == 2 * 3
    assert "2 of 5 segments have pictures here, spread evenly from the lowest to the highest log-mel distance" in page
    ranked = sorted(pairs, key=lambda pair: pair.judged.log_mel_db)
    headings = re.findall(r"<h3[^>]*>(\d+)\. (a/\d\.wav)", page)
    assert headings == [(f"{pairs.index(pair) + 1}", pair.path) for pair in pairs if pair in (ranked[0], ranked[-1])]
    for n in range(5):
        for kind in ("original", "resynthesis", "baseline"):
            assert f'href="./resynthesis/a/{n}%20%231.{kind}.wav"' in page
    assert "Over 5 segments" in page
    few = render(replace(data, pairs=pairs[:2], sounds="resynthesis/"))
    assert "have pictures here" not in few
    assert 'id="all"' not in few
    assert 'href="./resynthesis/a/1%20%231.resynthesis.wav"' in few


def test_long_segments_are_cut_in_picture_and_sound(data, monkeypatch):
    monkeypatch.setattr(resynthesis_page, "MOST_S", 0.1)
    page = render(data)
    assert "the first 100 ms of" in page
    for sound in re.findall(r"data:audio/wav;base64,([^\"]+)", page):
        samples, rate = soundfile.read(io.BytesIO(base64.b64decode(sound)))
        assert (len(samples), rate) == (800, RATE)


def test_sounds_that_are_compared_keep_their_levels_and_none_is_clipped():
    quiet, loud = np.full(8, 0.1, np.float32), np.full(8, 0.4, np.float32)
    gain = common_gain([quiet, loud])
    assert float(loud.max() * gain) == pytest.approx(0.99)
    assert common_gain([loud, quiet]) == pytest.approx(0.7 / 0.4)
    assert common_gain([np.zeros(4, np.float32), quiet]) == pytest.approx(7.0)
    assert common_gain([np.zeros(4, np.float32)]) == 1.0


def test_text_of_files_stays_text(data):
    card = replace(data.pairs[0], path=HOSTILE, speaker=HOSTILE)
    page = render(replace(data, title=HOSTILE, pairs=[card], notes=[HOSTILE], summary={HOSTILE: HOSTILE}))
    assert HOSTILE not in page
    assert "<script>alert" not in page
