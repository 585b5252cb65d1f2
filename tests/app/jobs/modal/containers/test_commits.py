"""A container commits what a task saved soon, its output now and then, and never all the time."""

from pathlib import Path

import pytest

from ossicle.app.jobs.modal.containers.commits import Commits
from ossicle.artefacts.files import write_text
from ossicle.artefacts.processes.saved_note import SAVED_VARIABLE, note_saved
from ossicle.core.errors import FetchError


class SlowMount:
    """A volume with a clock of its own: a commit takes ``seconds``."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self.folder, self.commits, self.now, self._seconds = folder, list[float](), 0.0, seconds

    def reload(self) -> None:
        """Do nothing."""

    def commit(self) -> None:
        self.commits.append(self.now)
        self.now += self._seconds


@pytest.fixture
def note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "saved"
    write_text(file, "")
    monkeypatch.setenv(SAVED_VARIABLE, str(file))
    return file


def watched(mount: SlowMount, note: Path, saves: set[int]) -> list[float]:
    """Look every second for 100 s, as a task saves at some of them; the times of commits."""
    commits = Commits(mount, note, most_s=60.0, least_s=2.0, clock=lambda: mount.now)
    for second in range(1, 100):
        if mount.now > second:
            continue
        mount.now = float(second)
        if second in saves:
            note_saved()
        commits.look()
    return mount.commits


def test_what_was_saved_is_committed_once_and_output_now_and_then(tmp_path: Path, note: Path) -> None:
    assert watched(SlowMount(tmp_path, 0.0), note, {10, 11, 30}) == [10, 12, 30, 90]


def test_a_task_that_saves_all_the_time_spends_a_tenth_of_it_with_commits(tmp_path: Path, note: Path) -> None:
    result = watched(SlowMount(tmp_path, 1.0), note, set(range(100)))
    assert result[:3] == [2, 13, 24]
    assert len(result) == 9


def test_a_commit_that_fails_is_tried_again_and_ends_no_task(tmp_path: Path, note: Path) -> None:
    class Failing(SlowMount):
        def commit(self) -> None:
            super().commit()
            if len(self.commits) < 3:
                raise FetchError("silent")

    assert watched(Failing(tmp_path, 0.0), note, {10}) == [10, 12, 14, 74]
