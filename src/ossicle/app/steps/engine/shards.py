"""Steps whose work units are shards: how they are made side by side, shown, checked and made again."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeVar

from ossicle.app.project.load import Project
from ossicle.app.project.places import writing
from ossicle.app.steps.engine.step import LOCK_WAIT_S, Context
from ossicle.artefacts.features.shard import shard_problems
from ossicle.artefacts.locks.lock import work_unit_lock
from ossicle.artefacts.shelf import Shelf

Outcome = TypeVar("Outcome")


def lock_missing(context: Context, is_done: Callable[[str], bool]) -> Callable[[str], AbstractContextManager[bool]]:
    """Return what locks a shard and gives whether it is still to be made: another process may have made it."""

    @contextmanager
    def held(name: str) -> Iterator[bool]:
        with work_unit_lock(context.folder, name, LOCK_WAIT_S):
            yield not is_done(name)

    return held


def with_progress(
    context: Context, shards_made: Iterable[tuple[str, Outcome]], n_done: int, n_shards: int
) -> Iterator[tuple[str, Outcome]]:
    """Yield shards as they are made, and show how many there are.

    Parameters
    ----------
    context
        The running step.
    shards_made
        Name and outcome of each shard that is made now.
    n_done, n_shards
        Number of shards that were there before, and of all.
    """
    for number, (name, outcome) in enumerate(shards_made, start=n_done + 1):
        yield name, outcome
        context.progress.advance(number, n_shards, "shards")


def damaged_shards(shards: Path, names: Sequence[str], copies: int) -> dict[str, list[str]]:
    """Return the problems of each damaged shard by its name; empty if everything is sound."""
    return {name: lines for name in names if (lines := shard_problems(shards, name, copies))}


def repair_shards(project: Project, artefact: Path, build: Callable[[], Iterable[object]]) -> None:
    """Make damaged shards of a finished artefact again, in place.

    Parameters
    ----------
    project
        The project of the artefact.
    artefact
        Folder of the artefact.
    build
        Makes the shards while the data root is locked.

    Raises
    ------
    ArtefactError
        The artefact still differs from what was committed: only a new one helps.
    """
    with writing(project.data_root):
        for _ in build():
            pass
        Shelf(project.data_root).verify(artefact)
