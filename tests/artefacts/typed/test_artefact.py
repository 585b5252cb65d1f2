"""What the classes of artefacts share: a table is read once for each object; another process gets the path alone."""

import copy
from pathlib import Path

import pytest

from ossicle.artefacts.typed import artefact, dataset
from ossicle.artefacts.typed.artefact import ArtefactFolder
from ossicle.artefacts.typed.dataset import FINAL, DatasetFolder
from ossicle.artefacts.typed.events import DecisionFolder
from ossicle.core.decisions.decision import Decision
from ossicle.core.errors import ArtefactError
from ossicle.core.records import Annotation, Clip


@pytest.fixture
def folder(tmp_path: Path) -> DatasetFolder:
    written = DatasetFolder(tmp_path)
    written.write_clips([Clip("a", 0.0, 1.0, "target", 0, "site", "hum")])
    written.write_targets([Annotation("a", 0.2, 0.4, "trill"), Annotation("a", 0.0, 1.0, "hum")])
    written.write_folds([{"recording_id": "a", "group": "site", "fold": 0}])
    written.write_split({"models": {"fold0": [0], "fold1": [1]}})
    return DatasetFolder(tmp_path)


def test_what_is_written_is_read(folder: DatasetFolder) -> None:
    assert folder.labels == ("hum", "trill")
    assert [clip.label for clip in folder.clips] == ["hum"]
    assert [annotation.label for annotation in folder.annotations] == ["hum", "trill"]
    assert folder.folds.to_dicts() == [{"recording_id": "a", "group": "site", "fold": 0}]
    assert folder.models == {"fold0": (0,), "fold1": (1,), FINAL: ()}
    assert folder.models_by_fold == {0: "fold0", 1: "fold1"}
    assert folder.holding_out == ("fold0", "fold1")
    assert (folder.known, folder.unknown) == ({}, {})


def test_a_table_is_read_once_for_each_object(folder: DatasetFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    for name in ("read_table", "read_clips"):
        real = getattr(dataset, name)
        monkeypatch.setattr(dataset, name, lambda file, *of, real=real: read.append(file.name) or real(file, *of))
    assert folder.clips == folder.clips
    assert folder.once(lambda dataset_folder: dataset_folder.folds) is folder.folds
    assert read == ["clips.parquet", "folds.parquet"]
    assert DatasetFolder(folder.path).clips == folder.clips
    assert read == ["clips.parquet", "folds.parquet", "clips.parquet"]


def test_a_reader_of_a_higher_package_is_asked_once(tmp_path: Path) -> None:
    asked: list[Path] = []

    def reader(one: ArtefactFolder) -> int:
        asked.append(one.path)
        return len(asked)

    folder = ArtefactFolder(tmp_path)
    assert (folder.once(reader), folder.once(reader)) == (1, 1)


def test_a_copy_for_another_process_has_the_path_alone(folder: DatasetFolder) -> None:
    assert folder.labels
    other = copy.copy(folder)
    assert other == folder
    assert vars(other) == {"path": folder.path}


def test_the_folder_of_a_step_is_found_by_the_step(tmp_path: Path) -> None:
    assert DatasetFolder.among({"dataset": tmp_path}) == DatasetFolder(tmp_path)
    with pytest.raises(KeyError, match="decision"):
        DecisionFolder.among({"dataset": tmp_path})


def test_content_is_what_the_finished_artefact_states(tmp_path: Path) -> None:
    artefact.ArtefactFolder(tmp_path).manifest_file.write_text('{"content": "abc"}')
    assert ArtefactFolder(tmp_path).content == "abc"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"labels\.json is missing"):
        _ = DatasetFolder(tmp_path).labels


def test_decisions_come_back_by_fold(tmp_path: Path) -> None:
    low, high = Decision(on=0.25, off=0.125), Decision(on=0.75, off=0.5, smoothing="median", smoothing_frames=3)
    DecisionFolder(tmp_path).write_decisions({0: {"hum": low}, 1: {"hum": high}}, {"hum": low}, ["note"])
    decision_folder = DecisionFolder(tmp_path)
    assert decision_folder.decisions == {0: {"hum": low}, 1: {"hum": high}, None: {"hum": low}}
    assert decision_folder.notes == ["note"]
