"""The leaderboard: rows of what was judged, paired differences, seeds, and variants without figures."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from shlex import quote
from typing import Any

import numpy as np
import pytest

from ossicle.app.project.load import Project, load_project
from ossicle.app.steps.compare import leaderboard as board_module
from ossicle.app.steps.compare.leaderboard import Judged, against, board_of, leaderboard
from ossicle.app.steps.data import corpus, dataset
from ossicle.app.steps.engine.step import Silent, run_steps
from ossicle.artefacts.files import write_json
from ossicle.artefacts.records.event_tables import events_of
from ossicle.artefacts.tables import read_table
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.core.scores.combination import Combination
from ossicle.core.settings import digestible
from ossicle.evaluation.ground_truth import Truth, event_times, read_truth
from ossicle.evaluation.leaderboard import Row
from ossicle.metrics.events import count_events
from ossicle.metrics.matching.rules import IouMatch
from ossicle.metrics.noise.noise_gate import Firing, NoiseGateSettings, judge
from ossicle.report.pages.leaderboard_page import render, write_leaderboard_page

from ....made_up.ensemble_members import judged, member, write_project

STEMS = ("siteA_1", "siteA_2", "siteB_1", "siteC_1", "siteC_2")
QUIET = ("--progress", "none")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return write_project(tmp_path_factory.mktemp("board"), STEMS)


@pytest.fixture(scope="module")
def truth(project: Project) -> Truth:
    result = run_steps((corpus.STEP, dataset.STEP), project, Silent()).artefacts
    return read_truth(CorpusFolder.among(result), DatasetFolder.among(result))


@pytest.fixture(scope="module")
def found(project: Project, truth: Truth, tmp_path_factory: pytest.TempPathFactory) -> list[Judged]:
    """A good, a middling and a bad one."""
    place, out = tmp_path_factory.mktemp("scores"), []
    for name, noise, seconds in (("bad", 0.6, 30.0), ("good", 0.05, 90.0), ("middling", 0.3, None)):
        done = judged(project, [member(project, truth, place, name, noise)], Combination())
        out.append(Judged(name, done.project, done.metrics, done.artefacts, seconds))
    return out


def f1_of(one: Judged, truth: Truth, ids: list[str]) -> float:
    events = event_times(events_of(read_table(one.artefacts["second_stage"] / "events.parquet"), truth.ids))
    nothing = np.zeros((0, 2))
    counts = np.sum(
        [
            count_events(truth.references[key]["call"], events[key].get("call", nothing), IouMatch(threshold=0.5))
            for key in ids
        ],
        axis=0,
    )
    return float(2 * counts[0] / (2 * counts[0] + counts[1] + counts[2]))


def test_the_best_comes_first_with_its_figures(found: list[Judged], truth: Truth) -> None:
    board = board_of(found, [Row("new", {}, None, "", "", note="no figures yet: ossicle run --variant new")])
    assert [row.name for row in board.rows] == ["good", "middling", "bad", "new"]
    for row in board.rows[:3]:
        one = next(of for of in found if of.name == row.name)
        assert row.headline == pytest.approx(f1_of(one, truth, list(truth.ids)), abs=1e-6)
        assert row.figures["f1"] == one.metrics["events"]["f1"]
        assert row.training_s == one.training_s
    assert board.rows[0].to_best is None
    assert board.rows[3].headline is None
    result = board.to_json()
    assert list(result["figures"].values())[:2] == ["F1", "macro F1"]
    assert json.loads(json.dumps(result)) == result


def test_differences_are_paired(found: list[Judged], truth: Truth) -> None:
    """The interval of a difference, by a bootstrap written out: the same draw of recordings for both."""
    best, bad = found[1], found[0]
    row = against(best)(bad)
    assert row is not None
    assert row["value"] == pytest.approx(
        f1_of(bad, truth, list(truth.ids)) - f1_of(best, truth, list(truth.ids)), abs=2e-6
    )
    assert row["high"] is not None
    assert row["high"] < 0
    generator, draws = np.random.default_rng(0), []
    sites = sorted(set(truth.groups.values()))
    for _ in range(400):
        ids = []
        for site in sites:
            mine = [key for key in truth.ids if truth.groups[key] == site]
            ids += [mine[place] for place in generator.integers(0, len(mine), len(mine))]
        draws.append(f1_of(bad, truth, ids) - f1_of(best, truth, ids))
    assert [row["low"], row["high"]] == pytest.approx(np.quantile(draws, [0.025, 0.975]).tolist(), abs=0.05)
    same = against(best)(best)
    assert same == {"value": 0.0, "low": 0.0, "high": 0.0}


def test_there_is_no_difference_between_figures_of_different_things(found: list[Judged]) -> None:
    best, other = found[1], found[0]
    stricter = replace(other.project.settings, evaluation=replace(other.project.settings.evaluation, iou=0.6))
    assert against(best)(replace(other, project=replace(other.project, settings=stricter))) is None


def test_a_variant_whose_settings_change_nothing_says_so(
    project: Project, found: list[Judged], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variants = "[variants]\nheads.head.epochs = 9\npages.report.examples = 9\nlonger.training.epochs = 99\n"
    (tmp_path / "ossicle.toml").write_text(project.file.read_text() + variants)
    monkeypatch.setattr(
        board_module,
        "judged_of",
        lambda variant: replace(found[1], name=variant.variant or ".", project=variant),
    )
    board = leaderboard(load_project(tmp_path / "ossicle.toml"))
    same = "no effect on the figures, which are those of the project itself: head.epochs = 9"
    assert {row.name: row.note for row in board.rows} == {".": "", "heads": same, "pages": "", "longer": ""}


def test_variants_that_differ_by_seed_have_their_mean_and_spread(found: list[Judged]) -> None:
    def seeded(one: Judged, name: str, seed: int, **more: Any) -> Judged:
        settings = one.project.settings
        settings = replace(
            settings,
            project=replace(settings.project, name=f"detector-{name}"),
            training=replace(settings.training, seed=seed, **more),
        )
        return replace(one, name=name, project=replace(one.project, settings=settings))

    alike = [seeded(one, f"seed{seed}", seed) for seed, one in enumerate(found)]
    other = seeded(found[0], "longer", 5, epochs=99)
    (over,) = board_of([*alike, other]).seeds
    assert (over.names, over.seeds) == (("seed0", "seed1", "seed2"), (0, 1, 2))
    values = [one.metrics["events"]["f1"]["value"] for one in found]
    assert over.figures["f1"] == pytest.approx((np.mean(values), np.std(values, ddof=1)))
    assert board_of([alike[0], other]).seeds == ()
    # One seed under two names is no spread.
    assert board_of([alike[0], seeded(found[1], "again", 0)]).seeds == ()


class Cells(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_the_page_shows_it_and_trusts_no_name(found: list[Judged], tmp_path: Path) -> None:
    hostile = replace(found[0], name="<script>alert(1)</script>")
    result = board_of([hostile, *found[1:]]).to_json()
    write_leaderboard_page(tmp_path / "board.html", "tapes & more", result)
    text = (tmp_path / "board.html").read_text()
    assert text == render("tapes & more", result)
    page = Cells()
    page.feed(text)
    assert "script" not in {tag for tag, _ in page.tags}
    assert not any("src" in attrs or (attrs.get("href") or "").startswith("http") for _, attrs in page.tags)
    shown = " ".join(page.text)
    for word in ("<script>alert(1)</script>", "good", "tapes & more: leaderboard", "1 min 30 s", "apart"):
        assert word in shown
    assert f"{found[1].metrics['events']['f1']['value']:.3f}" in shown


@pytest.fixture
def tapes(tmp_path: Path, without_training: None) -> Path:
    more = "[variants.one.training]\nseed = 1\n[variants.two.training]\nseed = 2\n[variants.leaky]\n"
    write_project(tmp_path / "tapes", ("siteA_1", "siteB_1"), more + 'base = "preset:random"\n')
    return tmp_path / "tapes"


def test_the_command_lists_what_there_is(tapes: Path, ossicle: Any) -> None:
    result = ossicle("leaderboard", "-p", tapes)
    assert result.code == 0, result.err
    assert re.search(r"no figures yet: ossicle run -p \S+ --variant one", result.out)
    assert "its split leaks" in result.out
    for name in ("one", "two"):
        run = ossicle("run", "-p", tapes, "--variant", name, "--until", "evaluation", *QUIET)
        assert run.code == 0, run.err
        # What the training left of its epochs: its seconds are added up over models.
        (training,) = [
            p for p in (tapes / "data" / "training").iterdir() if not (p / "fold0" / "metrics.jsonl").exists()
        ]
        for fold, seconds in (("fold0", 1.5), ("fold1", 2.0), ("final", 3.0)):
            (training / fold / "metrics.jsonl").write_text(json.dumps({"epoch": 0, "seconds": seconds}) + "\n")
    content = json.loads(ossicle("leaderboard", "-p", tapes, "--json").out)
    rows = {row["name"]: row for row in content["rows"]}
    assert set(rows) == {".", "one", "two", "leaky"}
    for name in ("one", "two"):
        metrics = json.loads((tapes / "variants" / name / "metrics.json").read_text())
        assert rows[name]["f1"] == metrics["events"]["f1"]
        assert rows[name]["training_s"] == 6.5
    assert content["over_seeds"][0]["names"] == ["one", "two"]
    assert content["over_seeds"][0]["seeds"] == [1, 2]
    page = tapes / "board.html"
    assert ossicle("leaderboard", "-p", tapes, "--page", page).code == 0
    assert "differ only by seed" in page.read_text()
    assert ossicle("leaderboard", "-p", tapes, "--page", tapes).code == 2


def test_a_changed_setting_has_no_figures_yet(tapes: Path, ossicle: Any) -> None:
    assert ossicle("run", "-p", tapes, "--until", "evaluation", *QUIET).code == 0
    own = next(
        row for row in json.loads(ossicle("leaderboard", "-p", tapes, "--json").out)["rows"] if row["name"] == "."
    )
    assert own["note"] == ""
    result = ossicle("leaderboard", "-p", tapes, "--set", "training.epochs=77", "--json")
    own = next(row for row in json.loads(result.out)["rows"] if row["name"] == ".")
    metrics = tapes / "metrics.json"
    assert own["note"].startswith(f"no figures for these settings: {metrics} was made with other settings")
    assert "give the same --set options here" in own["note"]
    # The same for `status`, which would only say that there is something to do.
    result = ossicle("status", "-p", tapes, "--set", "training.epochs=77")
    assert "give the same --set options here" in result.out
    assert "--set" not in ossicle("status", "-p", tapes).out


def test_a_variant_may_be_ranked_alone_and_need_not_go_with_set(tapes: Path, ossicle: Any) -> None:
    rows = json.loads(ossicle("leaderboard", "-p", tapes, "--variant", "two", "--json").out)["rows"]
    assert [row["name"] for row in rows] == [".", "two"]
    result = ossicle("leaderboard", "-p", tapes, "--variant", "twoo")
    assert result.code == 2
    assert "no variant 'twoo'; did you mean 'two'?" in result.err
    # chunks.window_s of a clip model is nothing for the variant with a core: only its own row says so.
    with (tapes / "ossicle.toml").open("a") as file:
        file.write("[variants.odd.frontend]\nrate = 2000\nfmax_hz = 1000.0\n")
    result = ossicle("leaderboard", "-p", tapes, "--set", "frontend.fmax_hz=3000.0", "--json")
    assert result.code == 0, result.err
    notes = {row["name"]: row["note"] for row in json.loads(result.out)["rows"]}
    assert notes["odd"].startswith("does not go together with these --set options: ")
    assert "no figures yet" in notes["one"]


def test_an_undefined_headline_is_a_dash_and_comes_last(found: list[Judged]) -> None:
    none = {"value": None, "low": None, "high": None}
    events = {**found[0].metrics["events"], "f1": none}
    silent = replace(found[0], name="nothing to tell", metrics={**found[0].metrics, "events": events})
    board = board_of([silent, *found[1:]])
    row = board.to_json()["rows"][-1]
    assert (row["name"], row["f1"]) == ("nothing to tell", none)
    assert row["note"] == "F1 is undefined: see the notes of its page"
    assert board.to_json()["rows"][0]["name"] != "nothing to tell"
    assert ">–<" in render("a board", board.to_json())


def test_metrics_are_read_where_the_gate_left_them(project: Project, found: list[Judged], tmp_path: Path) -> None:
    refused = replace(found[0], metrics={**found[0].metrics, "gate": {"passed": False}})
    (row,) = board_of([refused]).rows
    assert row.noise_gate == "refused"
    firing = Firing("hum", "50 Hz at -30 dBFS", "call", 60.0, 60, 60.0)
    limits = NoiseGateSettings(off=("hum",))
    gate = {"passed": True, "limits": digestible(limits), "firings": [one.to_json() for one in judge([firing], limits)]}
    (row,) = board_of([replace(found[0], metrics={**found[0].metrics, "gate": gate})]).rows
    assert row.noise_gate == "passed, 1 exception"
    write_json(tmp_path / "board.json", board_of([refused]).to_json())
    assert leaderboard(project).rows[0].note == f"no figures yet: ossicle run -p {quote(str(project.file))}"


def test_a_variant_says_in_which_settings_it_differs(project: Project) -> None:
    file = project.folder / "ossicle.toml"
    before = file.read_text()
    file.write_text(before + "\n[variants.longer.training]\nepochs = 99\nseed = 3\n")
    try:
        board = leaderboard(load_project(file, data_root=project.data_root))
    finally:
        file.write_text(before)
    differs = {row.name: row.differs for row in board.rows}
    assert differs["longer"] == ("training.epochs = 99", "training.seed = 3")
    assert differs["."] == ()
    page = render("a board", board.to_json())
    assert "training.epochs = 99" in page
