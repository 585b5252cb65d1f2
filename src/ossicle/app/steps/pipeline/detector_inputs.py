"""Files that an earlier run of a detector read and that are missing now, as on a disk that is not mounted."""

from pathlib import Path

from ossicle.app.project.load import Project
from ossicle.app.steps.data.unlabelled import INDEX_NAME, audio_folder
from ossicle.artefacts.roots import Roots
from ossicle.artefacts.typed.index import CorpusFolder, IndexFolder
from ossicle.corpus.indexing.index_storage import read_index


def missing_inputs(project: Project, step: str, artefact: Path) -> str:
    """Return which recordings or annotations of an earlier index are missing, in words; empty if none are.

    Parameters
    ----------
    project
        The project.
    step
        The step that made the artefact.
    artefact
        The folder of the artefact.
    """
    if step == CorpusFolder.step:
        roots = project.roots
    elif step == INDEX_NAME:
        roots = Roots(default=[audio_folder(project)])
    else:
        return ""
    index = read_index(IndexFolder(artefact))
    missing = [recording for recording in index.recordings if not roots.holds(recording.root, recording.path)]
    if missing:
        folders = " or ".join(str(folder) for folder in roots.folders(missing[0].root))
        return (
            f"{len(missing)} of {len(index.recordings)} recordings of the last run are not in {folders} "
            f"({missing[0].path})"
        )
    notes = project.annotation_folder if step == CorpusFolder.step else None
    if index.annotations and notes is not None and notes.is_dir() and not any(notes.iterdir()):
        return f"{len(index.annotations)} annotations of the last run are not in {notes}, which is empty"
    return ""
