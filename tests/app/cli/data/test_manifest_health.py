"""``ossicle dataset health MANIFEST``: figures, gates, bad lines, limits with and without a project, and exit codes."""

import json
from pathlib import Path

import pytest

from ....made_up.manifest_lines import line, write
from ...conftest import Commands, Said

LINES = (
    line("kick", event_id="e1"),
    line("snare", event_id="e2", onset_time=2.0, techniques=["flam"], drummer_id="d1"),
    line("kick", event_id="e3", onset_time=2.01, is_synthetic=True, loudness={"LUFS_i": -70.0, "peak_dbfs": 0.0}),
    line("kick", event_id="e4", onset_time=5.0, source_set="enst"),
    line("crash", event_id="e5", onset_time=7.0, negative_example=True),
)


def health(ossicle: Commands, manifest: Path, *more: object) -> Said:
    return ossicle("dataset", "health", manifest, "--progress", "none", "--workers", 1, *more)


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A current folder without a project file."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def test_a_manifest_is_counted_without_a_project(tmp_path: Path, ossicle: Commands) -> None:
    result = health(ossicle, write(tmp_path, *LINES))
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("events.jsonl: 5 events of 2 recordings, 0.00 h, 1 session, 1 drummer, 1 negative")
    rows = [line.split() for line in result.out.splitlines()]
    assert ["kick", "3", "2", "1"] in rows
    assert ["snare", "1", "1", "0"] in rows
    assert "limits: the defaults and --set" in result.out
    assert list((tmp_path / "here").iterdir()) == []


@pytest.mark.parametrize(
    ("limit", "gate", "reason"),
    [
        ("class_minimums={snare = 2, tom = 1}", "class_minimum", "'snare' has 1, needs 2; 'tom' is absent, needs 1"),
        ('labels=["kick"]', "unknown_labels", "'snare' (1 events) is not in labels"),
        ('required_labels=["crash"]', "required_labels", "label 'crash' is absent"),
        ('required_techniques=["roll"]', "required_techniques", "technique 'roll' is absent"),
        ("max_quiet=0.5", "quiet", "1 of 1 sounds are below -60 dB"),
        ("max_overdriven=0.5", "overdriven", "1 of 1 sounds have a peak at or above -0.1 dBFS"),
        ("longest_s=0.2", "durations", "5 of 5 events are shorter than 0 s or longer than 0.2 s"),
        ("max_overlap=0.4", "overlap", "2 of 4 events start within 30 ms of one with another label"),
    ],
)
def test_every_gate_of_a_manifest_can_fail(
    tmp_path: Path, ossicle: Commands, limit: str, gate: str, reason: str
) -> None:
    result = health(ossicle, write(tmp_path, *LINES), "--set", f"health.{limit}")
    assert result.code == 4
    assert f"{gate}: {reason}" in result.err


def test_events_that_were_ingested_twice_fail_by_content_by_event_id_and_by_sample_id(
    tmp_path: Path, ossicle: Commands
) -> None:
    # Only event ids, as the ingesters write them; the script before counted sample ids and passed this.
    twice = write(tmp_path, *LINES, *LINES)
    strict = ("--set", "health.max_repeated_events=0.005", "--set", "health.max_repeated_ids=0.005")
    result = health(ossicle, twice, *strict)
    assert result.code == 4
    assert "repeated_events: 4 of 8 events repeat another one" in result.err
    assert "(line 6)" in result.err
    assert "repeated_event_id: 5 of 10 events have the event_id of an earlier one" in result.err
    samples = write(tmp_path, *(line(event_id=f"e{n}", onset_time=float(n), sample_id="x") for n in range(4)))
    assert "repeated_sample_id: 3 of 4 events" in health(ossicle, samples, *strict).err
    assert health(ossicle, write(tmp_path, *LINES), *strict).code == 0


def test_ids_that_no_event_states_cannot_pass_a_limit(tmp_path: Path, ossicle: Commands) -> None:
    bare = write(tmp_path, line(event_id=None))
    assert health(ossicle, bare).code == 0
    result = health(ossicle, bare, "--set", "health.max_repeated_ids=0.005")
    assert result.code == 4
    assert "no event states an event_id or sample_id" in result.err


def test_totals_are_compared(tmp_path: Path, ossicle: Commands) -> None:
    manifest = write(tmp_path, *LINES)
    assert health(ossicle, manifest, "--manifest-total", 5).code == 0
    result = health(ossicle, manifest, "--manifest-total", 6)
    assert result.code == 4
    assert "manifest_total: the manifest has 5 events, not 6" in result.err


def test_the_total_and_the_bad_lines_of_a_project_are_used(tmp_path: Path, ossicle: Commands) -> None:
    manifest = write(tmp_path, *LINES, "{")
    project = (
        'base = "recipe:drums"\n[corpus]\naudio = "."\nlabel_field = ""\nname_template = ""\n'
        'manifest = "events.jsonl"\nmanifest_total = {}\n'
    )
    (tmp_path / "ossicle.toml").write_text(project.format(6) + "skip_bad = true\n")
    assert health(ossicle, manifest, "-p", tmp_path).code == 3
    (tmp_path / "ossicle.toml").write_text(project.format(7) + "skip_bad = true\n")
    result = health(ossicle, manifest, "-p", tmp_path)
    assert result.code == 4
    assert "manifest_total: the manifest has 6 events, not 7" in result.err
    assert health(ossicle, manifest, "-p", tmp_path, "--manifest-total", 6).code == 3


def test_a_bad_line_stops_with_its_number_or_is_counted(tmp_path: Path, ossicle: Commands) -> None:
    manifest = write(tmp_path, *LINES, "{", line(onset_time=-1.0))
    result = health(ossicle, manifest)
    assert result.code == 2
    assert "events.jsonl, line 6" in result.err
    result = health(ossicle, manifest, "--skip-bad", "--json", "--manifest-total", 7)
    assert result.code == 3
    content = json.loads(result.out)
    assert (content["lines"], content["bad_lines"]["count"], content["events"]["events"]) == (7, 2, 5)
    assert [one["line"] for one in content["bad_lines"]["first"]] == [6, 7]
    assert content["passed"]
    # A failed gate says more than lines that were left out.
    assert health(ossicle, manifest, "--skip-bad", "--set", "health.class_min=9").code == 4


def test_what_holds_no_event_is_refused(tmp_path: Path, ossicle: Commands) -> None:
    for text in ("", "\n\n"):
        (tmp_path / "events.jsonl").write_text(text)
        result = health(ossicle, tmp_path / "events.jsonl")
        assert result.code == 2
        assert "holds no event" in result.err
    assert (
        "holds no event; the first of 1 bad lines is line 1" in health(ossicle, write(tmp_path, "{"), "--skip-bad").err
    )
    for missing in (tmp_path / "none.jsonl", tmp_path):
        result = health(ossicle, missing)
        assert result.code == 2
        assert "is not a file; give a manifest" in result.err


def test_the_limits_and_the_label_map_of_a_project_are_used(tmp_path: Path, ossicle: Commands) -> None:
    manifest = write(tmp_path, line("bd"), line("snare", onset_time=3.0, event_id="e2"))
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "ossicle.toml").write_text(
        'base = "recipe:tapes"\n[corpus]\naudio = "."\nlabel_map = ["bd=kick"]\n[health]\nlabels = ["kick"]\n'
    )
    result = health(ossicle, manifest, "-p", tmp_path / "p", "--json")
    assert result.code == 4
    content = json.loads(result.out)
    assert content["events"]["unknown_labels"] == {"snare": 1}
    assert content["limits"].endswith("ossicle.toml")
    assert health(ossicle, manifest, "-p", tmp_path / "p", "--set", "health.max_unknown_labels=1").code == 0
    assert health(ossicle, manifest, "-p", tmp_path / "none").code == 2
    assert health(ossicle, manifest, "--set", "health.no_such=1").code == 2


def test_the_project_of_the_current_folder_is_used(
    tmp_path: Path, ossicle: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = write(tmp_path, *LINES)
    Path("ossicle.toml").write_text('base = "recipe:tapes"\n[corpus]\naudio = "."\n[health]\nclass_min = 2\n')
    result = health(ossicle, manifest)
    assert result.code == 4
    assert result.out.count("ossicle.toml") == 1


def test_a_report_is_compared_and_a_page_written(tmp_path: Path, ossicle: Commands) -> None:
    old, page = tmp_path / "old.json", tmp_path / "page.html"
    old.write_text(health(ossicle, write(tmp_path, *LINES, line("tom", event_id="e9")), "--json").out)
    result = health(ossicle, write(tmp_path, *LINES), "--compare", old, "--html", page)
    assert result.code == 4
    assert "compared_classes: 'tom' shrank from 1 to 0 events" in result.err
    assert "<h1>events: health</h1>" in page.read_text(encoding="utf-8")


def test_the_number_of_workers_changes_nothing(tmp_path: Path, ossicle: Commands) -> None:
    manifest = write(tmp_path, *LINES)
    one, two = (ossicle("dataset", "health", manifest, "--json", "--workers", n, "--progress", "none") for n in (1, 2))
    assert one == two


def test_names_of_a_manifest_are_text_on_the_page_and_give_no_orders(tmp_path: Path, ossicle: Commands) -> None:
    page = tmp_path / "page.html"
    assert health(ossicle, write(tmp_path, line("<script>"), line(drummer_id="<i>")), "--html", page).code == 0
    text = page.read_text(encoding="utf-8")
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    result = health(ossicle, write(tmp_path, line(), line("kick\u202e")), "--skip-bad", "--html", page)
    assert result.code == 3
    assert "\u202e" not in result.out + result.err + page.read_text(encoding="utf-8")


@pytest.fixture
def imported(tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a manifest of 160 events in 4 sessions, and their recordings."""
    monkeypatch.syspath_prepend(repository / "benchmarks")
    from drum_manifest import SOURCES, write_manifest

    place = tmp_path / "drums"
    write_manifest(place, 160, 4, 2, audio="hits", rate=4000)
    roots = "".join(f'{one.name} = ["audio/{one.name}"]\n' for one in SOURCES)
    corpus = '[corpus]\naudio = "none"\nmanifest = "events.jsonl"\nname_template = ""\nmanifest_total = 160\n'
    (place / "ossicle.toml").write_text(
        f'base = "recipe:tapes"\n{corpus}[split]\ngroup = "session"\n[roots]\n{roots}', encoding="utf-8"
    )
    return place


def test_a_project_is_judged_by_what_its_manifest_says_of_each_annotation(imported: Path, ossicle: Commands) -> None:
    strict = ("--set", "health.max_repeated_ids=0.005", "--progress", "none", "--json")
    result = ossicle("dataset", "health", "-p", imported, *strict)
    assert result.code == 0
    of_project = json.loads(result.out)
    of_manifest = json.loads(health(ossicle, imported / "events.jsonl", "-p", imported, "--json").out)
    for name in ("classes", "events", "recordings", "sources", "sessions", "kits", "drummers", "techniques", "dynamics",
                 "dynamics_by_class", "openness", "bleed", "mix", "synthetic", "overlap"):  # fmt: skip
        assert of_project["events"][name] == of_manifest["events"][name], name
    for name in ("events", "event_id"):
        assert of_project["events"]["repeats"][name]["repeats"] == of_manifest["events"]["repeats"][name]["repeats"]
    assert of_project["events"]["loudness_unit"] == "dBFS"
    passed = {gate["name"]: gate["passed"] for gate in of_project["gates"]}
    assert passed == {
        "repeated_events": True,
        "repeated_event_id": True,
        "repeated_audio": True,
        "manifest_total": True,
    }


def test_problems_alike_of_a_manifest_are_summed_up(imported: Path, ossicle: Commands) -> None:
    lines = (imported / "events.jsonl").read_text().splitlines(keepends=True)
    gone = [line(audio_path=f"gone{n}/mix.wav", event_id=f"g{n}", source_set="slakh") + "\n" for n in range(9)]
    (imported / "events.jsonl").write_text("".join(lines + gone))
    more = ("--set", "corpus.max_missing=0.5", "--set", "corpus.manifest_total=0", "--progress", "none")
    result = ossicle("dataset", "health", "-p", imported, *more)
    assert result.code == 3
    rows = result.out.splitlines()
    assert sum("gone" in row for row in rows) == 10
    assert sum("4 more problems of this kind; --json lists them" in row for row in rows) == 2
    assert any(row.split()[:1] == ["sources"] for row in rows)


def test_a_project_whose_manifest_has_another_total_fails(imported: Path, ossicle: Commands) -> None:
    result = ossicle("dataset", "health", "-p", imported, "--progress", "none", "--set", "corpus.manifest_total=170")
    assert result.code == 4
    assert "manifest_total: 160 events were read, but corpus.manifest_total is 170" in result.err
    assert "copy the manifest again from its source" in result.out
