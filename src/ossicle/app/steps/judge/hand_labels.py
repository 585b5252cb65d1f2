"""What people said of events by hand: tables with a row for each, labelled ``target`` or ``noise``, or by its name.

The tables may be of any format that holds events, Raven's above all: the first stage's events, opened, judged by ear
and saved. A row called by one of the project's labels says that the event is this one, and so none of the others.
"""

from pathlib import Path

from ossicle.app.project.load import Project
from ossicle.artefacts.files import file_digest
from ossicle.core.digest import digest
from ossicle.core.errors import UsageError
from ossicle.corpus.formats.registry import SUFFIXES
from ossicle.corpus.naming.file_listing import files_below


def hand_label_place(project: Project) -> Path | None:
    """The folder of tables, None where the project has none; raises UsageError where it is not there."""
    named = project.settings.second_stage.hand_labels
    if not named:
        return None
    place = project.folder / named
    if not place.is_dir():
        raise UsageError(
            f"[second_stage] hand_labels: the folder {place} does not exist; correct the path in {project.file}, or "
            "leave it empty"
        )
    return place


def hand_label_digests(project: Project) -> dict[str, str]:
    """The digest of the tables, for a fingerprint; none where there are no tables."""
    place = hand_label_place(project)
    if place is None:
        return {}
    return {"hand_labels": digest([[name, file_digest(place / name)] for name in files_below(place, SUFFIXES)])}
