"""``ossicle new``: project files that load, and what is refused before one is written."""

import os
from pathlib import Path

import numpy as np
import pytest

from ossicle.app.project.load import load_project
from ossicle.app.project.scaffolding.scaffold import Wishes, scaffold
from ossicle.audio.wav import write_wav
from ossicle.core.errors import SplitError, UsageError
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.raven import raven_name, write_raven

NAMES = ("siteA_20250610_050000_tape.wav", "siteB_20250611_050000_tape.wav", "siteC_20250612_050000_tape.wav")


def corpus(folder: Path, names: tuple[str, ...] = NAMES, rate: int = 16000, length_s: float = 0.2) -> Path:
    (folder / "audio").mkdir(parents=True)
    for name in names:
        write_wav(folder / "audio" / name, np.zeros(rate, dtype=np.float32), rate, "PCM_16")
        call = RawSelection(0.1, 0.1 + length_s, "hum", 300.0, 2500.0)
        write_raven(folder / "tables" / raven_name(name), [call])
    return folder


def make(
    place: Path, folder: Path, group: str = "site", recipe: str = "tapes", force: bool = False, **wishes: object
) -> Path:
    wanted = Wishes(place / "audio", place / "tables", group=group, **wishes)  # type: ignore[arg-type]
    return scaffold(recipe, folder, wanted, force=force)


def test_the_project_loads_and_finds_its_folders(tmp_path: Path) -> None:
    place = corpus(tmp_path / "corpus")
    project = load_project(make(place, tmp_path / "work" / "tapes"))
    assert project.audio_folder.resolve() == place / "audio"
    assert project.annotation_folder is not None
    assert project.annotation_folder.resolve() == place / "tables"
    assert not Path(project.settings.corpus.audio).is_absolute()
    assert project.settings.project.name == "tapes"
    assert (project.settings.split.group, project.settings.corpus.name_template) == ("site", "site{site}_*")


def test_rate_and_frames_fit_the_annotations(tmp_path: Path) -> None:
    wide = load_project(make(corpus(tmp_path / "wide", rate=48000), tmp_path / "a")).settings.frontend
    assert (wide.rate, wide.hop_samples) == (8000, 80)
    low = load_project(make(corpus(tmp_path / "low", rate=4000), tmp_path / "b")).settings.frontend
    assert low.rate == 4000
    long = load_project(make(corpus(tmp_path / "long", length_s=0.6), tmp_path / "c")).settings.frontend
    assert long.hop_samples / long.rate == 0.02


def test_chunks_and_least_lengths_fit_the_annotations(tmp_path: Path) -> None:
    for name, length_s in (("short", 0.1), ("long", 0.6)):
        project = load_project(make(corpus(tmp_path / name, length_s=length_s), tmp_path / f"work {name}"))
        plan, grid = project.settings.plan, project.settings.decision
        assert (plan.core_frames, plan.context_frames) == (200, 50)
        assert grid.min_length_s == pytest.approx((0, 0.3 * length_s, 0.6 * length_s, 0.9 * length_s), rel=0.01)


@pytest.mark.parametrize("name", ["a b", 'it\'s "quoted"', "日本 ünï", "back\\slash"])
def test_any_folder_name_survives_the_project_file(tmp_path: Path, name: str) -> None:
    place = corpus(tmp_path / name)
    project = load_project(make(place, tmp_path / f"{name} project"))
    assert project.audio_folder.resolve() == (place / "audio").resolve()


@pytest.mark.parametrize("name", ["line\nend", "tab\there", "del\x7f", "right\u202eleft"])
def test_a_folder_name_with_a_control_character_is_refused(tmp_path: Path, name: str) -> None:
    place = corpus(tmp_path / name)
    with pytest.raises(UsageError, match=r"--audio .*contains .*rename the folder"):
        make(place, tmp_path / "project")
    assert not (tmp_path / "project").exists()


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    place = corpus(tmp_path / "corpus")
    with pytest.raises(UsageError, match=r"bad\\xff.*not valid UTF-8"):
        make(place, tmp_path / "bad\udcff")


def test_one_group_is_refused(tmp_path: Path) -> None:
    place = corpus(tmp_path / "corpus", NAMES[:1])
    with pytest.raises(SplitError, match="1 annotated group"):
        make(place, tmp_path / "work")
    assert not (tmp_path / "work").exists()


def test_more_folds_than_groups_are_refused(tmp_path: Path) -> None:
    place = corpus(tmp_path / "corpus")
    with pytest.raises(SplitError, match="4 folds need at least as many groups"):
        make(place, tmp_path / "work", folds=4)
    with pytest.raises(UsageError, match="--folds 1"):
        make(place, tmp_path / "work", folds=1)


def test_an_unknown_group_says_how_to_name_it(tmp_path: Path) -> None:
    place = corpus(tmp_path / "corpus")
    with pytest.raises(UsageError, match=r"--group recorder.*--name-template"):
        make(place, tmp_path / "work", group="recorder")
    project = load_project(make(place, tmp_path / "work", group="recorder", name_template="site{recorder}_*"))
    assert project.settings.corpus.name_template == "site{recorder}_*"


def test_built_in_groups_need_no_template(tmp_path: Path) -> None:
    project = load_project(make(corpus(tmp_path / "corpus"), tmp_path / "work", group="recording"))
    assert project.settings.corpus.name_template == ""


def test_a_project_is_overwritten_only_when_asked(tmp_path: Path) -> None:
    place = corpus(tmp_path / "corpus")
    file = make(place, tmp_path / "work")
    file.write_text("mine")
    with pytest.raises(UsageError, match="already exists"):
        make(place, tmp_path / "work")
    assert file.read_text() == "mine"
    make(place, tmp_path / "work", force=True)
    assert file.read_text() != "mine"


def test_an_unknown_recipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no recipe is called 'tape'; did you mean 'tapes'\\?"):
        make(corpus(tmp_path / "corpus"), tmp_path / "work", recipe="tape")


def test_wrong_places_are_refused(tmp_path: Path) -> None:
    place = corpus(tmp_path / "corpus")
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is a file"):
        make(place, tmp_path / "file")
    with pytest.raises(UsageError, match="audio: does not exist; give a folder"):
        make(tmp_path / "gone", tmp_path / "work")
    (place / "audio").rename(place / "tapes")
    (place / "audio").write_text("")
    with pytest.raises(UsageError, match="audio: is a file; give a folder"):
        make(place, tmp_path / "work")
    (place / "audio").unlink()
    os.mkfifo(place / "audio")
    with pytest.raises(UsageError, match="audio: is not a regular file, but a pipe or a device; give a folder"):
        make(place, tmp_path / "work")
    (place / "audio").unlink()
    (place / "tapes").rename(place / "audio")
    (place / "tables").rename(place / "away")
    with pytest.raises(UsageError, match="this file or folder does not exist"):
        make(place, tmp_path / "work")
    (place / "tables").mkdir()
    with pytest.raises(UsageError, match=r"contains no table for any of the 3 recordings .*recordings\)$"):
        make(place, tmp_path / "work")
    (place / "tables" / "siteA_1_12.5_12.9Q2.wav").write_bytes(b"a segment")
    with pytest.raises(UsageError, match=r"segment_names: see docs/coming-from-scripts\.md"):
        make(place, tmp_path / "work")


def test_many_groups_get_five_folds_and_few_hold_each_out(tmp_path: Path) -> None:
    names = tuple(f"site{n:02d}_1.wav" for n in range(12))
    place = corpus(tmp_path / "many", names, rate=1000)
    assert load_project(make(place, tmp_path / "a")).settings.split.folds == 5
    assert load_project(make(place, tmp_path / "b", folds=0)).settings.split.folds == 0
    few = load_project(make(corpus(tmp_path / "few", names[:11], rate=1000), tmp_path / "c"))
    assert few.settings.split.folds == 0


def test_several_templates_are_written_as_a_list(tmp_path: Path) -> None:
    place = corpus(tmp_path / "corpus", ("siteA_1.wav", "zf-B.wav", "zf-C.wav"))
    project = load_project(make(place, tmp_path / "work", name_template=("site{site}_*", "zf-{site}")))
    assert project.settings.corpus.name_template == ("site{site}_*", "zf-{site}")
    assert project.settings.split.group == "site"


def test_a_table_may_name_the_groups(tmp_path: Path) -> None:
    place = corpus(tmp_path / "corpus", ("1.wav", "2.wav", "3.wav"))
    table = place / "groups.csv"
    table.write_text("File,Site\n1.wav,A\n2.wav,B\n3.wav,A\n")
    project = load_project(make(place, tmp_path / "work", groups=table, group="site"))
    settings = project.settings
    assert settings.split.group == "Site"
    assert (settings.corpus.metadata.file_column, settings.corpus.metadata.label_column) == ("File", "")
    assert project.metadata_table is not None
    assert project.metadata_table.resolve() == table
    assert project.annotation_folder is not None
    project_settings = load_project(make(place, tmp_path / "other", groups=table, group="")).settings
    assert project_settings.split.group == "Site"


@pytest.mark.parametrize(
    ("text", "group", "words"),
    [
        ("where,site\nx.wav,A\n", "site", "no column is called filename"),
        ("file,plot\n1.wav,A\n", "site", "no column is called 'site'; choose the column of groups with --group from"),
        ("file,plot\n1.wav,A\n", "", "no column is called like a usual group"),
    ],
)
def test_a_table_of_groups_without_its_columns_is_refused(tmp_path: Path, text: str, group: str, words: str) -> None:
    place = corpus(tmp_path / "corpus", ("1.wav", "2.wav"))
    (place / "groups.csv").write_text(text)
    with pytest.raises(UsageError, match=words):
        make(place, tmp_path / "work", groups=place / "groups.csv", group=group)
    with pytest.raises(UsageError, match="does not exist; give a table"):
        make(place, tmp_path / "work", groups=place / "none.csv")
