"""Projects from strangers: where they may write, what they may hold, and what a terminal gets to see."""

import csv
import json
import os
import re
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ossicle.app.cli.main import main
from ossicle.app.cli.printable import printable
from ossicle.app.cli.tables.table import print_rows
from ossicle.app.project.load import load_project
from ossicle.app.project.local_file import LocalFileWarning
from ossicle.app.project.scaffolding.scaffold import _bundle_name
from ossicle.app.project.toml import MOST_BYTES, read_toml
from ossicle.app.steps.engine.step import Silent
from ossicle.app.steps.pipeline.run_project import run_project
from ossicle.artefacts.files import read_json
from ossicle.bundle.card import card_text
from ossicle.bundle.format import read_bundle
from ossicle.bundle.manifest import is_plain_name
from ossicle.core.errors import ArtefactError, BundleError, ProjectError, UsageError
from ossicle.corpus.formats.audacity import read_audacity, write_audacity
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.event_csv import read_events, write_events
from ossicle.corpus.formats.raven import read_raven, write_raven

GOOD = 'base = "recipe:tapes"\n[corpus]\naudio = "audio"\n'


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("OSSICLE_DATA_ROOT", raising=False)
    folder = tmp_path / "project"
    (folder / "audio").mkdir(parents=True)
    (folder / "ossicle.toml").write_text(GOOD)
    return folder / "ossicle.toml"


def complaint(file: Path, text: str) -> str:
    file.write_text(text)
    with pytest.raises(ProjectError) as caught:
        load_project(file)
    return str(caught.value)


OUTSIDE = ("/etc", "..", "../x", "a/../../x", "C:/x", "C:x", r"C:\x", r"..\x", r"\\host\share", "//host/share", "", " ")


@pytest.mark.parametrize("place", OUTSIDE)
def test_a_project_file_cannot_send_artefacts_elsewhere(file: Path, place: str) -> None:
    result = complaint(file, f"{GOOD}[project]\ndata_root = '{place}'\n")
    assert result.startswith(f"{file}: [project] data_root = {place!r}: this folder is not below the folder of ")
    assert "--data-root" in result


def test_nor_can_a_base(file: Path) -> None:
    (file.parent / "base.toml").write_text(GOOD + '[project]\ndata_root = "/tmp"\n')
    assert "base.toml: [project] data_root = '/tmp'" in complaint(file, 'base = "base.toml"\n')


def test_whoever_runs_it_can(file: Path, tmp_path: Path) -> None:
    outside = tmp_path / "elsewhere"
    assert load_project(file, (f"project.data_root={outside}",)).data_root == outside
    assert load_project(file, (), outside).data_root == outside
    (file.parent / "ossicle.local.toml").write_text(f'[project]\ndata_root = "{outside}"\n')
    with pytest.warns(LocalFileWarning, match=r"local\.toml is in force \(project\.data_root\)"):
        assert load_project(file).data_root == outside


@pytest.mark.parametrize("link", ["training", "corpus/.work-0123", "run.jsonl", "bundle/abc/weights.safetensors"])
def test_links_below_the_data_root_are_refused_before_a_byte_is_written(file: Path, tmp_path: Path, link: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / ".ossicle-part-mine").write_text("keep")
    place = file.parent / "data" / link
    place.parent.mkdir(parents=True)
    os.symlink(outside, place)
    with pytest.raises(
        UsageError, match="is a symbolic link: a data root must contain its own files; remove it"
    ) as caught:
        run_project(load_project(file), Silent())
    assert str(place) in str(caught.value)
    assert [path.name for path in outside.iterdir()] == [".ossicle-part-mine"]
    assert not (file.parent / "data" / ".ossicle.lock").exists()


@pytest.mark.parametrize("name", ["bundle", "metrics.json", "report.html"])
def test_a_link_in_the_place_of_a_result_is_refused(file: Path, tmp_path: Path, name: str) -> None:
    os.symlink(tmp_path, file.parent / name)
    with pytest.raises(UsageError, match=f"{name} is a symbolic link.*; remove it"):
        run_project(load_project(file), Silent())


@pytest.mark.parametrize("stated", ["data", "a/data"])
def test_a_data_root_of_a_project_file_is_no_link(file: Path, tmp_path: Path, stated: str) -> None:
    (tmp_path / "disk").mkdir()
    os.symlink(tmp_path / "disk", file.parent / stated.split("/")[0])
    file.write_text(f'{GOOD}[project]\ndata_root = "{stated}"\n')
    result = (
        f"{file}: [project] data_root: {file.parent / stated.split('/')[0]} is a symbolic link to {tmp_path / 'disk'}, "
    )
    with pytest.raises(ProjectError, match=re.escape(result)):
        load_project(file)
    assert list((tmp_path / "disk").iterdir()) == []


@pytest.mark.parametrize("how", ["option", "environment", "local file", "--set"])
def test_a_data_root_that_the_user_names_may_be_a_link(
    file: Path, tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "disk").mkdir()
    os.symlink(tmp_path / "disk", file.parent / "data")
    if how == "environment":
        monkeypatch.setenv("OSSICLE_DATA_ROOT", str(file.parent / "data"))
    if how == "local file":
        (file.parent / "ossicle.local.toml").write_text('[project]\ndata_root = "data"\n')
    overrides = ("project.data_root=data",) if how == "--set" else ()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LocalFileWarning)
        project = load_project(file, overrides, file.parent / "data" if how == "option" else None)
    assert project.data_root == tmp_path / "disk"
    with pytest.raises(UsageError, match="contains no audio files"):
        run_project(project, Silent())


def test_a_local_file_is_said(file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    local = file.parent / "ossicle.local.toml"
    local.write_text('[jobs]\nsetup = ["module load cuda"]\n[training]\n' + "".join(f"k{n} = 1\n" for n in range(9)))
    monkeypatch.setattr("sys.argv", ["ossicle", "status", "-p", str(file)])
    with pytest.raises(SystemExit):
        main()
    output = capsys.readouterr().err
    assert output.splitlines()[0] == (
        f"ossicle: note: {local} is in force (jobs.setup, training.k0, training.k1, training.k2, training.k3 and 5 "
        "more); if you did not write it, remove it"
    )


BOMBS = [
    ("x = " + "[" * 30_000 + "]" * 30_000, "nested more than 16 levels deep"),
    ("x = " + "[" * 20 + "]" * 20, "nested more than 16 levels deep"),
    (".".join("a" * 400) + " = 1", "nested more than 16 levels deep"),
    ("x = " + "9" * 5000, "is not valid TOML: Exceeds the limit"),
    (f"# {'x' * MOST_BYTES}", "is larger than"),
    ('base = "a\\u0000b"\n', "base must be text"),
    ('[corpus]\naudio = "a\\u0000b"\n', r"[corpus] audio = 'a\x00b': contains a NUL"),
    ('[corpus]\naudio = "a"\n[project]\nname = "../../x"\n', "[project] name = '../../x' is not a plain name"),
    ('[corpus]\naudio = "a"\n[project]\nname = "my tapes"\n', "[project] name = 'my tapes' is not a plain name"),
]


@pytest.mark.parametrize(("text", "words"), BOMBS, ids=range(len(BOMBS)))
def test_bombs_and_hostile_values_are_refused_with_the_file(file: Path, text: str, words: str) -> None:
    result = complaint(file, text)
    assert result.startswith(str(file))
    assert words in result
    assert len(result) < 1000


def test_a_device_in_the_place_of_a_base_is_not_read(file: Path) -> None:
    assert "is not a regular file" in complaint(file, 'base = "/dev/zero"\n')
    os.mkfifo(file.parent / "pipe.toml")
    with pytest.raises(ProjectError, match=r"pipe\.toml: is not a regular file"):
        read_toml(file.parent / "pipe.toml")


def test_an_override_may_be_any_word(file: Path) -> None:
    result = "x" * 20 + "[" * 20
    assert load_project(file, (f"corpus.root={result}",)).settings.corpus.root == result


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a": ' + "9" * 5000 + "}"])
def test_json_bombs_in_a_data_root_are_artefact_errors(tmp_path: Path, text: str) -> None:
    (tmp_path / "artefact.json").write_text(text)
    with pytest.raises(ArtefactError, match=r"artefact\.json .*(nested too deeply|too long).*delete the folder"):
        read_json(tmp_path / "artefact.json")


@pytest.mark.parametrize("folder", ["tapes", "my tapes", "..", "日本", "a..b", "C:x", "-x", "x" * 300, "Owls (2026)"])
def test_a_scaffolded_project_has_a_name_that_its_bundle_can_have(folder: str) -> None:
    assert is_plain_name(_bundle_name(Path(folder)))


def test_a_terminal_gets_no_orders(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    print_rows(("label",), [("\x1b[2J\x9b call",)])
    assert capsys.readouterr().out.splitlines()[-2].strip() == r"\x1b[2J\x9b call"
    file.write_text(GOOD + '[training]\n"\\u001b[2J" = 3\n')
    monkeypatch.setattr("sys.argv", ["ossicle", "status", "-p", str(file)])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    output = capsys.readouterr().err
    assert r"[training] \x1b[2J: unknown key" in output
    assert "\x1b" not in output


@pytest.mark.parametrize("label", ["a\u202eb", "\x1b[2J", "x" * 201])
def test_a_label_that_no_bundle_can_hold_is_refused_before_training(file: Path, label: str) -> None:
    for number, site in enumerate("AB"):
        samples = np.full(16000, 0.1 * (1 + number))
        soundfile.write(file.parent / "audio" / f"site{site}_1.wav", samples, 8000)
        table = file.parent / "tables" / f"site{site}_1.txt"
        write_raven(table, [RawSelection(0.5, 0.6, "LABEL")])
        # No writer writes such a label.
        table.write_text(table.read_text().replace("LABEL", label))
    corpus_table = 'annotations = "tables"\nname_template = "site{site}_*"\n[split]\ngroup = "site"\n'
    file.write_text(f"{GOOD}{corpus_table}")
    with pytest.raises(UsageError, match="a bundle cannot contain it; correct it in the annotation tables") as caught:
        run_project(load_project(file), Silent(), until="dataset")
    assert "\x1b" not in printable(str(caught.value))


LABELS = ("=HYPERLINK(1)", "+1", "-song", "@x", "'=1", "<script>alert(1)</script>", "a,b", 'say "hm"', "plain")


def test_labels_are_neutral_in_tables_for_spreadsheets_and_come_back_as_they_were(tmp_path: Path) -> None:
    rows = [RawSelection(float(n), n + 0.5, label, begin_path="=cmd|'!A0.wav") for n, label in enumerate(LABELS)]
    write_events(tmp_path / "events.csv", rows)
    with open(tmp_path / "events.csv", encoding="utf-8", newline="") as handle:
        cells = [cell for row in csv.reader(handle) for cell in row]
    assert [cell for cell in cells if cell[:1] in ("=", "+", "-", "@", "\t", "\r")] == []
    back = read_events(tmp_path / "events.csv").rows
    assert [(row.label, row.begin_path) for row in back] == [(row.label, row.begin_path) for row in rows]
    # Raven and Audacity would take an apostrophe for part of the label (docs/decisions/0013).
    write_raven(tmp_path / "raven.txt", rows)
    assert "\t=HYPERLINK(1)\n" in (tmp_path / "raven.txt").read_text()
    assert tuple(row.label for row in read_raven(tmp_path / "raven.txt")) == LABELS
    write_audacity(tmp_path / "audacity.txt", rows)
    assert tuple(row.label for row in read_audacity(tmp_path / "audacity.txt")) == LABELS


def test_a_deep_manifest_is_shown_as_text_or_refused(tmp_path: Path) -> None:
    kept = Path(__file__).resolve().parents[2] / "data" / "bundles" / "0.1.0" / "bundle"
    folder = Path(shutil.copytree(kept, tmp_path / "bundle"))
    manifest = json.loads((folder / "bundle.json").read_text())
    text = json.dumps(manifest).replace('"provenance": {', '"provenance": {"deep": ' + "[" * 900 + "]" * 900 + ", ")
    (folder / "bundle.json").write_text(text)
    # Within what Python's own parser takes, it is shown as text; beyond, it is refused.
    assert r"\[\[\[" in card_text(read_bundle(folder))
    (folder / "bundle.json").write_text(text.replace("[" * 900, "[" * 9000).replace("]" * 900, "]" * 9000))
    with pytest.raises(BundleError, match=r"bundle\.json is not readable JSON"):
        read_bundle(folder)
