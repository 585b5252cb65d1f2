"""Hand labels of events: tables with one row for each event, labelled ``target``, ``noise``, or with a label's name.

The tables may have any format that holds events, usually Raven: the events of the first stage, opened, checked by ear
and saved. A row with one of the project's labels means that the event has this label and none of the others.
"""

from pathlib import Path

from ossicle.app.project.load import Project
from ossicle.artefacts.files import file_digest
from ossicle.core.digest import digest
from ossicle.core.errors import UsageError
from ossicle.corpus.formats.registry import SUFFIXES
from ossicle.corpus.naming.file_listing import files_below


def hand_label_place(project: Project) -> Path | None:
    """Return the folder of tables, or None if the project has none; raises UsageError if it does not exist."""
    named = project.settings.second_stage.hand_labels
    if not named:
        return None
    folder = project.folder / named
    if not folder.is_dir():
        raise UsageError(
            f"[second_stage] hand_labels: the folder {folder} does not exist; correct the path in {project.file}, or "
            "leave it empty"
        )
    return folder


def hand_label_digests(project: Project) -> dict[str, str]:
    """Return the digest of the tables for a fingerprint; empty without tables."""
    folder = hand_label_place(project)
    if folder is None:
        return {}
    return {"hand_labels": digest([[name, file_digest(folder / name)] for name in files_below(folder, SUFFIXES)])}
