import base64
import hashlib
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ossicle.core.records import Annotation, Recording
from ossicle.corpus.health.report import health
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.evaluation.examples.example import EXAMPLE_KINDS, Example
from ossicle.inference.decisions.fit import ThresholdCurve
from ossicle.metrics.events import evaluate_events
from ossicle.metrics.matching.rules import CollarMatch, IouMatch
from ossicle.metrics.noise.noise_gate import Firing, NoiseGateSettings, judge
from ossicle.report.data import (
    FoldRow,
    PrCurve,
    QualityRow,
    ReliabilityBin,
    ReportData,
    ScoreRow,
    SweepRow,
    TrainingCurve,
)
from ossicle.report.figures.groups import bars_shown
from ossicle.report.pages import page as page_module
from ossicle.report.pages.page import render, write_report
from ossicle.report.words import few_groups, reach

HOSTILE = "<script>alert('x')</script>"


def report_data(label: str = "call", path: str = "site A/tape 1.23.wav") -> ReportData:
    recordings = [Recording(f"r{n}", "root", f"{n}-{path}", 8000, 1, 80000, "d", reviewed=True) for n in range(4)]
    notes = [Annotation(recording.id, 1.0, 1.5, label) for recording in recordings]
    references = {recording.id: {label: np.array([[1.0, 1.5], [3.0, 3.5]])} for recording in recordings}
    predictions = {recording.id: {label: np.array([[1.0, 1.4], [7.0, 7.1]])} for recording in recordings[:3]}
    judged = (references, predictions, {recording.id: 10.0 for recording in recordings}, [label])
    groups = {recording.id: "ab"[n % 2] for n, recording in enumerate(recordings)}
    sound = 0.1 * np.sin(np.arange(8000) * 0.7).astype(np.float32)
    on = np.array([0.3, 0.5, 0.7])
    return ReportData(
        title=f"{label} project",
        summary={"labels": label},
        health=health(CorpusIndex(tuple(recordings), tuple(notes)), rate=8000),
        metrics=evaluate_events(*judged, IouMatch(threshold=0.5), groups, n_bootstrap=100),
        in_sample=evaluate_events(*judged, IouMatch(threshold=0.5), groups, n_bootstrap=100),
        collar=evaluate_events(*judged, CollarMatch(collar_s=0.2), groups, n_bootstrap=100),
        curves=[TrainingCurve("fold0", [{"epoch": n, "train_loss": 1.0 / (n + 1), "seconds": 1.0} for n in range(3)])],
        threshold_curves=[ThresholdCurve(label, on, on, on[::-1], on, 1)],
        pr_curves=[PrCurve(label, [1.0, 0.5], [0.1, 0.4], [0.9, 0.2], 0.3)],
        iou_sweep=[SweepRow(0.5, 0.4, 0.5, 0.3), SweepRow(0.9, 0.0, 0.0, 0.0)],
        scores=[ScoreRow(name, (0.4, 0.6), 0.7, float("nan"), 0.05, 0.1) for name in (None, label)],
        reliability=[ReliabilityBin(0.0, 0.5, 9.0, 0.1, 0.2), ReliabilityBin(0.5, 1.0, 0.0, *[float("nan")] * 2)],
        folds=[FoldRow(0, ("a",), {label: "on 0.5"}, 0.5, 0.5, float("nan"), 4, 3)],
        examples=[
            Example(
                "best", path, label, 1.0, 1.4, 0.9, 0.8, sound, 8000, 0.5, [(1.0, 1.5, label)], [(1.0, 1.4, label, 0.9)]
            )
        ],
        budget=[("training", 60.0), ("scores", 2.0)],
        noise_gate=judge([Firing("silence", "all zeros", label, 60.0, 0, 0.0)], NoiseGateSettings()),
        notes=[f"{label}: narrow plateau"],
        split={"ok": True, "folds": [{"fold": 0, "recordings": 2}]},
        files={"bundle": "bundle/", "elsewhere": "../../etc/passwd"},
    )


@pytest.fixture(scope="module")
def page() -> str:
    return render(report_data())


def test_the_page_holds_the_figures_it_was_given(page):
    data = report_data()
    f1 = data.metrics.pooled.rates.f1
    assert f"<b>{f1.value:.3f}</b>" in page
    assert f"{f1.low:.3f} to {f1.high:.3f}" in page
    assert "few groups" in page
    assert "in-sample" in page
    assert "out of fold" in page
    for group, scores in bars_shown(data.metrics.per_group):
        assert f'<th scope="row">{group}</th>' in page
        assert f"{scores.rates.recall.value:.3f}" in page


def test_false_alarms_per_hour_are_rounded_one_way() -> None:
    data = report_data()
    for value, shown in ((6795.2, "6\u00a0795"), (0.0421, "0.0421"), (0.0, "0")):
        pooled = replace(data.metrics.pooled, false_alarms_per_hour=value)
        page = render(replace(data, metrics=replace(data.metrics, pooled=pooled)))
        assert f"That is {shown} false alarms per hour" in page
        assert f'<td class="n">{shown}</td>' in page


def test_it_needs_no_network_and_no_other_file(page):
    addresses = re.findall(r"""(?:src|href)=["']([^"']*)""", page)
    assert addresses
    assert all(address.startswith(("data:", "#", "./")) for address in addresses)
    assert not re.search(r"@import|url\(\s*['\"]?http", page)
    assert "etc/passwd" not in "".join(addresses)


def test_hostile_names_are_text():
    page = render(report_data(label=HOSTILE, path=f"{HOSTILE}\"'.wav"))
    assert HOSTILE not in page
    assert "&lt;script&gt;alert" in page


def test_equal_data_give_equal_bytes(page, tmp_path):
    write_report(tmp_path / "report.html", report_data())
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == page


def test_only_the_pages_own_script_may_run(page):
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    (script,) = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src &#39;sha256-{digest}&#39;" in policy
    assert "default-src &#39;none&#39;" in policy
    assert page.count("<script") == 1
    assert not re.search(r"\son\w+=", re.sub(r'"data:[^"]*"', "", page))


def test_a_leak_is_named():
    split = {"ok": False, "groups_cut": ["site <A>"], "equal_audio": [{"files": ["r/a.wav", "r/b.wav"]}]}
    page = render(replace(report_data(), split=split))
    assert "group site &lt;A&gt; is in several folds" in page
    assert "r/a.wav, r/b.wav" in page
    assert "found no leak" not in page


def test_many_notes_do_not_hide_the_figures():
    """Fourteen drums filled the first screen with remarks on their thresholds."""
    notes = [f"drum {number}: narrow plateau" for number in range(9)]
    page = render(replace(report_data(), notes=notes))
    assert all(page.count(note) == 1 for note in notes)
    first, rest = page.split("<summary>6 more notes</summary>")
    assert [note for note in notes if note in first] == notes[:3]
    assert "drum 8" in rest.split("</details>")[0]
    assert "more notes" not in render(replace(report_data(), notes=notes[:5]))


def test_a_page_of_many_long_examples_stays_below_10_mb():
    noise = np.random.default_rng(0).normal(0, 0.1, 48000 * 4).astype(np.float32)
    example = replace(report_data().examples[0], samples=noise, rate=48000)
    kinds = [kind for kind in EXAMPLE_KINDS for _ in range(6)]
    page = render(replace(report_data(), examples=[replace(example, kind=kind) for kind in kinds]))
    assert len(page.encode()) < 10_000_000
    assert "without sound, to keep the page small" in page


def test_missing_pieces_are_said(page):
    bare = replace(
        report_data(), curves=(), threshold_curves=(), pr_curves=(), iou_sweep=(), folds=(), examples=(), budget=(),
        scores=(), reliability=(), notes=(), split={}, files={}, in_sample=None, collar=None,
    )  # fmt: skip
    text = render(bare)
    for words in (
        "No curves were saved",
        "No thresholds were fitted",
        "No scores were evaluated",
        "No folds",
        "No audit was made",
        "None.",
    ):
        assert words in text
        assert words == "None." or words not in page


def test_not_a_number_is_a_dash(page):
    assert '<td class="n">–</td>' in page
    assert "nan" not in re.sub(r"data:[^\"']*", "", page).lower().replace("nano", "")


def test_an_example_can_be_heard_and_seen(page):
    assert page.count("data:audio/wav;base64,") == 1
    assert 'aria-label="Play' in page
    assert page.count("<audio") == 1


def test_an_example_of_an_empty_recording_says_so():
    (example,) = report_data().examples
    page = render(replace(report_data(), examples=[replace(example, samples=np.zeros(0, np.float32))]))
    assert "the recording is empty" in page
    assert "to keep the page small" not in page


def opened_in_browser(page, *more):
    """Return the document of a page after its scripts ran in a browser without a network."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        pytest.skip("chromium is not installed (apt-get install chromium)")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
    options += ["--disable-component-update", "--no-first-run", f"--user-data-dir={page.parent / 'profile'}", *more]
    done = subprocess.run([browser, *options, "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=120)
    assert done.stdout, done.stderr[-2000:]
    return done.stdout


def test_the_page_opens_in_a_browser_without_a_network(tmp_path):
    write_report(tmp_path / "a b.html", report_data())
    assert 'data-ready="yes"' in opened_in_browser(tmp_path / "a b.html")


FOLDS = ["held out", "state accuracy", "F1 ac", "F1 fridge", "F1 fridge, not hidden", "state accuracy of files"]
FIGURE = '<td class="n">0.972<small>0.944 to 0.996</small></td>'


@pytest.mark.parametrize(
    ("kind", "headings", "row"),
    [
        (
            "",
            [*FOLDS, "recordings", "windows", "decision"],
            f'{FIGURE * 5}<td>8</td><td>936</td><td><span class="tag">in-sample</span></td>',
        ),
        ("confusion", ["true", *(f"fire_crackling {k}" for k in range(16))], '<td class="n">32</td>' * 16),
    ],
)
def test_headings_are_wrapped_before_a_table_is_cut(tmp_path, kind, headings, row):
    css = (Path(page_module.__file__).parent / "templates" / "page.css").read_text()
    heads = "".join(f'<th scope="col" class="n"><span>{heading}</span></th>' for heading in headings)
    measure = "const box = document.querySelector('.scroll'); box.dataset.cut = box.scrollWidth - box.clientWidth;"
    (tmp_path / "x.html").write_text(
        f'<!doctype html><style>{css}</style><main><div class="scroll"><table class="{kind}"><tr>{heads}</tr>'
        f'<tr><th scope="row">all folds</th>{row}</tr></table></div></main><script>{measure}</script>'
    )
    assert 'data-cut="0"' in opened_in_browser(tmp_path / "x.html", "--window-size=1000,800")


def test_the_page_shows_what_the_noise_gate_found() -> None:
    quiet = Firing("hum", "50 Hz at -30 dBFS", "other", 60.0, 0, 0.0)
    loud = Firing("white_noise", "-20 dBFS", HOSTILE, 60.0, 4, 30.0)
    passed = render(replace(report_data(), noise_gate=judge([quiet], NoiseGateSettings())))
    assert "refused by the noise gate" not in passed
    assert '<span class="tag">passed</span>' in passed
    refused = render(
        replace(
            report_data(), noise_gate=judge([quiet, replace(loud, label="a", n_events=0), loud], NoiseGateSettings())
        )
    )
    assert '<a class="tag error" href="#gate">refused by the noise gate</a>' in refused
    both = "fires 240 times an hour (limit 60) and fills 50 % of the time (limit 5 %) on white noise (-20 dBFS)"
    assert both in refused
    stuck = render(replace(report_data(), noise_gate=judge([replace(loud, n_events=1)], NoiseGateSettings())))
    # One event a minute is allowed: only the limit that is exceeded is named.
    assert "fills 50 % of the time (limit 5 %) on white noise (-20 dBFS)" in stuck
    assert "(limit 60)" not in stuck
    assert HOSTILE not in refused
    # One row a part: that of the label that does worst.
    assert refused.count("<small>-20 dBFS</small>") == 1
    off = render(replace(report_data(), noise_gate=judge([loud], NoiseGateSettings(off=("white_noise",)))))
    assert "no limit" in off
    excused = render(replace(report_data(), noise_gate=judge([quiet], NoiseGateSettings()), gate_exceptions=["<hum>"]))
    assert '<span class="tag">passed</span>' not in excused
    assert "passed with exceptions</span>" in excused
    assert "<li>&lt;hum&gt;</li>" in excused
    assert "The noise gate was not run." in render(replace(report_data(), noise_gate=()))


def test_a_leaky_split_is_said_and_folds_have_their_names():
    split = {
        "ok": False,
        "leaky": "leaky: random cuts through 2 of 2 groups of '<b>'",
        "names": {"-1": "train", "0": "test"},
        "folds": [{"fold": -1, "recordings": 2}, {"fold": 0, "recordings": 1}],
    }
    page = render(replace(report_data(), split=split))
    assert "leaky: random cuts through 2 of 2 groups of &#39;&lt;b&gt;&#39;." in page
    assert "<td>train</td><td>2</td>" in page
    assert "<td>test</td><td>1</td>" in page


def test_the_page_shows_the_recall_of_each_quality() -> None:
    qualities = [QualityRow("1", 8, 6, 0.75), QualityRow("unknown", 2, 0, 0.0)]
    shown = render(replace(report_data(), qualities=qualities))
    assert "By quality of the annotation" in shown
    assert '<th scope="row">1</th><td class="n">8</td><td class="n">6</td><td class="n">0.750</td>' in shown
    assert "By quality of the annotation" not in render(report_data())


def test_the_gate_has_the_width_of_the_page_and_many_refusals_are_cut() -> None:
    loud = judge([Firing("hum", "50 Hz", f"label{k}", 60.0, 9, 30.0) for k in range(25)], NoiseGateSettings())
    shown = render(replace(report_data(), noise_gate=loud))
    gate = shown[shown.index('<h2 id="gate">') : shown.index('<h2 id="examples">')]
    assert 'class="two"' not in gate
    assert gate.count("<li>") == 21
    assert "and 5 more in metrics.json" in gate


def test_the_page_is_dark_where_the_reader_asks_for_it(page: str) -> None:
    assert "prefers-color-scheme: dark" in page
    style = page[page.index("<style>") : page.index("</style>")]
    rules = style[style.index("* { box-sizing") :]
    # Every colour is one of the theme's; the exceptions are the play button and its ring, alike in both.
    assert set(re.findall(r"#[0-9a-f]{3,6}\b", rules)) <= {"#fff", "#084a82", "#f0a202", "#c2185b"}


def test_intervals_of_three_recordings_are_said_to_be_their_range() -> None:
    """More than 2.5 % of all resamples of three hold one of them alone, so the bounds are the best and the worst."""
    events = {f"r{n}": {"call": np.array([[1.0, 2.0]])} for n in range(4)}
    result = {"r0": events["r0"], "r1": {"call": np.array([[5.0, 6.0]])}}
    for n, said in ((3, True), (4, False)):
        references = {f"r{k}": events[f"r{k}"] for k in range(n)}
        report = evaluate_events(references, result, dict.fromkeys(references, 10.0), ["call"], IouMatch())
        assert ("no wider than the best and the worst" in reach(report)) is said
        if said:
            assert (report.pooled.rates.recall.low, report.pooled.rates.recall.high) == (0.0, 1.0)


def test_one_group_is_in_the_singular() -> None:
    alone = replace(report_data().metrics, few_groups=True, n_groups=1, method="within-groups", n_bootstrap=100)
    assert few_groups(alone).startswith(
        "Few groups: with 1 group the intervals are valid only for recordings from this group."
    )
    assert reach(alone).endswith("100 resamples of the recordings of 1 group.")


def test_a_count_of_none_has_no_bar_and_a_table_of_nothing_no_heads() -> None:
    index = CorpusIndex((Recording("r", "root", "a.wav", 8000, 1, 8000, "d", reviewed=True),), ())
    text = render(replace(report_data(), health=health(index, rate=8000)))
    part = text[text.index("<h3>Annotations</h3>") : text.index("Every recording")]
    assert part.startswith('<h3>Annotations</h3>\n<p class="soft">There are none.</p>')
    assert '<td class="n">0</td><td class="tally" aria-hidden="true"></td>' in part
    assert part.count("<i style") == 1
