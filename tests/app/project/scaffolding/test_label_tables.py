"""``ossicle new birds`` on tables of labels as others publish and write them, as far as the dataset."""

from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile

from ossicle.app.project.load import load_project
from ossicle.app.project.scaffolding.label_tables import label_table
from ossicle.app.project.scaffolding.scaffold import Wishes, scaffold
from ossicle.app.project.settings import ProjectSettings
from ossicle.app.steps.data import corpus, dataset
from ossicle.app.steps.engine.step import Silent, run_steps
from ossicle.artefacts.records.column_tables import clips_of
from ossicle.artefacts.tables import read_table
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.core.errors import UsageError
from ossicle.corpus.indexing.index_storage import read_index

RATE = 8000
FILES = 6
LABELS = ("wren", "crow")


def new(folder: Path, header: str, row: Callable[[int], str], wishes: dict[str, str] | None = None) -> list[str]:
    """Write recordings ``XC0.wav`` and so on and a table of them, and return what ``new`` says."""
    (folder / "audio").mkdir()
    for k in range(FILES):
        soundfile.write(folder / "audio" / f"XC{k}.wav", [0.1, -0.1] * (RATE + k), RATE)
    table = folder / "train.csv"
    table.write_text("\n".join([header, *map(row, range(FILES))]) + "\n", encoding="utf-8")
    said: list[str] = []
    scaffold("birds", folder / "work", Wishes(folder / "audio", labels=str(table), folds=2), say=said.append)
    return said


def settings(folder: Path) -> ProjectSettings:
    return load_project(folder / "work").settings


def targets(folder: Path) -> list[tuple[str, str]]:
    """Make the dataset; return recording and label of its target clips."""
    project = load_project(folder / "work")
    done = run_steps((corpus.STEP, dataset.STEP), project, Silent()).artefacts
    paths = {recording.id: recording.path for recording in read_index(CorpusFolder.among(done)).recordings}
    clips = clips_of(read_table(done["dataset"] / "clips.parquet"))
    return sorted((paths[clip.recording_id], clip.label) for clip in clips if clip.role == "target")


PUBLISHED = {
    "UrbanSound8K": (
        "slice_file_name,fsID,start,end,salience,fold,classID,class",
        lambda k: f"XC{k}.wav,{k // 2},0.0,4.0,1,{k // 2 + 1},{k % 2},{LABELS[k % 2]}",
        ("slice_file_name", "class", "", "fsID", "fold"),
    ),
    "FSD50K": (
        "fname,labels,mids,split",
        lambda k: f'XC{k},"{LABELS[k % 2]},Owl_(barn)",/m/1,train',
        ("fname", "labels", ",", "recording", ""),
    ),
    "xeno-canto": (
        "id,gen,sp,en,rec,file-name,also",
        lambda k: f"{k},Troglodytes,troglodytes,{LABELS[k % 2]},a{k},XC{k}.wav,[]",
        ("file-name", "en", "", "rec", ""),
    ),
    "semicolons": (
        "filename,primary_label",
        lambda k: f"XC{k}.wav,{LABELS[k % 2]}; rain",
        ("filename", "primary_label", ";", "recording", ""),
    ),
    "further labels in words": (
        "filename,primary_label,secondary_labels",
        lambda k: f'XC{k}.wav,{LABELS[k % 2]},"rain, wind"',
        ("filename", "primary_label", ",", "recording", ""),
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_tables_are_read_as_they_are(tmp_path: Path, name: str) -> None:
    header, row, expected = PUBLISHED[name]
    new(tmp_path, header, row)
    found = settings(tmp_path)
    table = found.corpus.metadata
    assert (
        table.file_column,
        table.label_column,
        found.corpus.label_separator,
        found.split.group,
        found.split.fold_field,
    ) == expected


def test_every_label_of_a_cell_is_a_target(tmp_path: Path) -> None:
    new(tmp_path, *PUBLISHED["semicolons"][:2])
    both = [(f"XC{k}.wav", label) for k in range(FILES) for label in sorted((LABELS[k % 2], "rain"))]
    assert targets(tmp_path) == both


def test_columns_of_0_and_1_are_labels(tmp_path: Path) -> None:
    said = new(tmp_path, "itemid,wren,crow,checked", lambda k: f"XC{k},{k % 2},{int(k < 2)},1")
    assert said == ["the column 'itemid' names the files: its cells fit the recordings"]
    assert settings(tmp_path).corpus.label_fields == {"wren": "1", "crow": "1"}
    assert targets(tmp_path) == [(f"XC{k}.wav", label) for k, label in ((0, "crow"), (1, "crow"), *(
        (k, "wren") for k in (1, 3, 5)
    ))]  # fmt: skip


@pytest.mark.parametrize(("value", "weighed"), [("4.5", True), ("NA", True), ("A", False), ("-1", False)])
def test_a_rating_is_a_weight_only_if_it_is_a_number(tmp_path: Path, value: str, weighed: bool) -> None:
    said = new(tmp_path, "filename,primary_label,rating", lambda k: f"XC{k}.wav,{LABELS[k % 2]},{value if k else 3}")
    assert settings(tmp_path).dataset.weight_field == ("rating" if weighed else "")
    assert ["'rating' gives no weights" in line for line in said] == ([] if weighed else [True])
    assert len(targets(tmp_path)) == FILES


def test_a_table_without_a_column_of_files_lists_its_columns(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no column is called filename, .*columns: number, label\); rename"):
        new(tmp_path, "number,label", lambda k: f"{k + 100},wren")


@pytest.mark.parametrize("above", ["# exported, by X\n", "\ufeffMy birds\n\n", "# a\n# b, c\n# "])
def test_lines_above_the_headings_do_not_count(tmp_path: Path, above: str) -> None:
    new(tmp_path, f"{above}Datei,primary_label", lambda k: f"XC{k}.wav,{LABELS[k % 2]}")
    assert targets(tmp_path) == [(f"XC{k}.wav", LABELS[k % 2]) for k in range(FILES)]


ABOVE = {
    "a heading as a cell": "aufnahme;art;rang\n{};Parus major;subspecies\n{};Turdus merula;species\n",
    "in the first row": "aufnahme;art;rang\n{};Turdus merula;species\n{};Parus major;x\n",
    "a column without a heading": "aufnahme;art;\n{};Turdus merula;species\n{};Parus major;x\n",
    "behind a comma": "aufnahme;art\n{}.wav;Turdus merula, species\n{}.wav;Parus major\n",
    "row numbers of R": "aufnahme;art\n1;{}.wav;species\n2;{}.wav;x\n",
    "headings behind a mark": "# aufnahme;art\n{}.wav;species\n{}.wav;x\n",
}


@pytest.mark.parametrize("name", ABOVE)
def test_a_row_is_never_taken_for_the_headings(tmp_path: Path, name: str) -> None:
    path = tmp_path / "l.csv"
    path.write_text(ABOVE[name].format("a", "b"))
    table = label_table(path)
    assert [text.removeprefix("# ") for text in table.header if text][:2] == ["aufnahme", "art"]
    assert len(table.rows) == 2


@pytest.mark.parametrize(
    "above", ["My birds;;\n\n", "My birds, 2024\n", "# a;b;c\n", "Site;bog\n", "sep=;\nMy birds\n"]
)
def test_titles_with_fewer_cells_stand_above_the_headings(tmp_path: Path, above: str) -> None:
    path = tmp_path / "l.csv"
    path.write_text(f"{above}Datei;species;rang\na.wav;Parus major;x\n")
    table = label_table(path)
    assert (table.header, len(table.rows)) == (("Datei", "species", "rang"), 1)


def test_a_table_of_events_is_not_one_of_labels(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"events with times, .*names 3 files in 6 rows\); give it with --annotations"):
        new(tmp_path, "filename,start,end,primary_label", lambda k: f"XC{k // 2}.wav,{k},{k + 1},wren")


def test_few_groups_are_held_out_once_each(tmp_path: Path) -> None:
    (tmp_path / "audio").mkdir()
    for k in range(FILES):
        soundfile.write(tmp_path / "audio" / f"XC{k}.wav", [0.1, -0.1] * (RATE + k), RATE)
    table = tmp_path / "train.csv"
    rows = "".join(f"XC{k}.wav,{LABELS[k % 2]},a{k // 2}\n" for k in range(FILES))
    table.write_text(f"filename,primary_label,author\n{rows}", encoding="utf-8")
    scaffold("birds", tmp_path / "work", Wishes(tmp_path / "audio", labels=str(table)))
    assert settings(tmp_path).split.folds == 0
    with pytest.raises(UsageError, match="4 folds were requested"):
        scaffold("birds", tmp_path / "other", Wishes(tmp_path / "audio", labels=str(table), folds=4))
