"""``ossicle new appliances``: labels, group, masks and what is refused."""

import unicodedata
from pathlib import Path

import pytest

from ossicle.app.project.load import load_project
from ossicle.app.project.scaffolding.scaffold import Wishes, scaffold
from ossicle.app.project.scaffolding.state_scaffold import state_lines, wanted_masks
from ossicle.core.errors import SplitError, UsageError

from ....made_up.hums import NAMES, TEMPLATE, write_hums


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_hums(tmp_path_factory.mktemp("hums") / "audio", seconds=2.5)


@pytest.mark.parametrize("suffix", ["", ".wav", ".m4a"])
def test_fields_with_on_and_off_are_labels_and_daypart_is_the_group(audio: Path, tmp_path: Path, suffix: str) -> None:
    file = scaffold("appliances", tmp_path / "home", Wishes(audio, name_template=(TEMPLATE + suffix,)))
    settings = load_project(file).settings
    assert settings.corpus.label_fields == {"ac": "on", "fridge": "on"}
    assert (settings.split.group, settings.split.folds) == ("daypart", 0)
    assert (settings.project.pipeline, settings.encoder.name) == ("states", "acoustic")
    assert (settings.features.window_s, settings.features.hop_s) == (2.0, 0.5)
    assert settings.states.masks == {"ac": ("fridge",)}
    assert settings.states.priority == ("ac", "fridge")
    assert "# The default: while ac is on, the state of fridge is unknown" in file.read_text()


def test_words_of_other_languages_are_on_and_off(audio: Path, tmp_path: Path) -> None:
    """Names and tables may not be in English, and pandas writes 1.0 where a cell of the column is empty."""
    german = tmp_path / "audio"
    german.mkdir()
    for name in NAMES:
        copied = name.replace("-on", "-an").replace("-off", "-aus").replace("fridge", "Kühlschrank")
        (german / unicodedata.normalize("NFD", copied)).write_bytes((audio / name).read_bytes())
    template = "ac-{klima:an|aus}-Kühlschrank-{kühlschrank:an|aus}-{zeit:day|night}"
    settings = load_project(scaffold("appliances", tmp_path / "p", Wishes(german, name_template=(template,)))).settings
    assert settings.corpus.label_fields == {"klima": "an", "kühlschrank": "an"}
    assert settings.split.group == "zeit"
    rows = [f"{name};{'ja' if '-on-' in name else 'nein'};{n % 2}.0;Raum {n % 2}" for n, name in enumerate(NAMES)]
    (tmp_path / "t.csv").write_text("file;Heizung;Pumpe;Raum\n" + "\n".join(rows) + "\nfehlt.wav;ja;;\n")
    wishes = Wishes(audio, labels=str(tmp_path / "t.csv"), group="Raum")
    settings = load_project(scaffold("appliances", tmp_path / "q", wishes)).settings
    assert settings.corpus.label_fields == {"Heizung": "ja", "Pumpe": "1.0"}


def test_masks_are_the_users(audio: Path, tmp_path: Path) -> None:
    wishes = Wishes(audio, name_template=(TEMPLATE,), masks=("fridge:ac",))
    file = scaffold("appliances", tmp_path / "home", wishes)
    assert load_project(file).settings.states.masks == {"fridge": ("ac",)}
    assert "The default" not in file.read_text()
    file = scaffold(
        "appliances", tmp_path / "home", Wishes(audio, name_template=(TEMPLATE,), masks=("none",)), force=True
    )
    assert load_project(file).settings.states.masks == {}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["ac"], "write LABEL:HIDDEN, as ac:fridge"),
        (["ac:"], "write LABEL:HIDDEN"),
        (["ac:frigde"], "'frigde' is not a label; did you mean 'fridge'"),
        (["ac:fridge", "fridge:ac"], "hidden by a label that it hides"),
    ],
)
def test_impossible_masks_are_refused(options: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        wanted_masks(options, ["ac", "fridge"])


def test_several_masks() -> None:
    labels = ["ac", "fan", "fridge"]
    assert wanted_masks([], labels) == {"ac": ("fan", "fridge")}
    assert wanted_masks(["ac:fan, fridge", "fan:fridge"], labels) == {"ac": ("fan", "fridge"), "fan": ("fridge",)}
    assert wanted_masks([], ["ac"]) == {}


@pytest.mark.parametrize("template", [(), ("{device}-{daypart}*",)])
def test_without_a_field_of_on_and_off_an_example_is_given(audio: Path, tmp_path: Path, template: tuple[str]) -> None:
    with pytest.raises(UsageError, match=r"--template .*as in 'ac-\{ac:on\|off\}"):
        scaffold("appliances", tmp_path / "home", Wishes(audio, name_template=template))


def test_one_daypart_cannot_be_held_out(tmp_path: Path) -> None:
    day = write_hums(tmp_path / "audio", tuple(name for name in NAMES if "day" in name), 2.5)
    with pytest.raises(SplitError, match="at least two groups"):
        scaffold("appliances", tmp_path / "home", Wishes(day, name_template=(TEMPLATE,)))


def test_labels_from_the_columns_of_a_table(audio: Path, tmp_path: Path) -> None:
    rows = [name.removesuffix(".wav").split("-") for name in NAMES]
    lines = [f"{name},{row[1] == 'on':d},{row[3]},x,{row[4]}" for name, row in zip(NAMES, rows, strict=True)]
    table = tmp_path / "table.csv"
    table.write_text("\n".join(["file,cooling,fridge,comment,daypart", *lines]))
    file = scaffold("appliances", tmp_path / "home", Wishes(audio, labels=str(table)))
    settings = load_project(file).settings
    assert settings.corpus.label_fields == {"cooling": "1", "fridge": "on"}
    assert settings.corpus.metadata.overrides
    assert settings.split.group == "daypart"
    table.write_text("file,comment\nx.wav,y\n")
    with pytest.raises(UsageError, match="no column holds on and off only"):
        scaffold("appliances", tmp_path / "home", Wishes(audio, labels=str(table)), force=True)


def test_labels_from_class_folders(tmp_path: Path) -> None:
    for name in ("pump", "silence"):
        write_hums(tmp_path / "audio" / name, NAMES[:4], 2.5)
    file = scaffold("appliances", tmp_path / "home", Wishes(tmp_path / "audio", labels="folder", group="recording"))
    settings = load_project(file).settings
    assert settings.corpus.label_field == "folder"
    assert settings.states.masks == {}


def test_masks_of_another_recipe_are_refused(audio: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the recipe 'birds' has no states"):
        scaffold("birds", tmp_path / "home", Wishes(audio, labels="folder", masks=("ac:fridge",)))


@pytest.mark.parametrize(("label", "control"), [("ac\u200f", "RIGHT-TO-LEFT MARK"), ("ac\nfan", "a line end")])
def test_a_label_that_no_project_file_may_hold_is_refused_before_one_is_written(label: str, control: str) -> None:
    with pytest.raises(UsageError, match=rf"contains .*{control}.*rename it in the names of files or in the table"):
        state_lines((label, "fridge"), {label: ("fridge",)}, chosen=False)
