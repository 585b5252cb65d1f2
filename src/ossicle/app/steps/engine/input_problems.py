"""Recordings that a run could not use in full: each is named, and the exit code reports them (invariant 7)."""

from dataclasses import dataclass
from pathlib import Path

from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.audio.ending import cut_off
from ossicle.audio.probe import probe
from ossicle.core.errors import AudioError
from ossicle.corpus.naming.file_listing import shown

# Codes of problems in the health of a corpus.
LEFT_OUT, PARTIAL = "left_out", "partial"


@dataclass(frozen=True, slots=True)
class Loss:
    """A recording that was left out or ends early: its path in the folder, what is wrong, and what to do."""

    code: str
    path: str
    message: str
    remedy: str

    @property
    def line(self) -> str:
        """Return the loss as one line of text."""
        return f"{self.path}: {self.code.replace('_', ' ')}: {self.message}; {self.remedy}"


def losses(corpus: Path) -> list[Loss]:
    """Return what a run lost, from the health of the corpus in the artefact ``corpus``."""
    problems = CorpusFolder(corpus).health["problems"]
    return [
        Loss(one["code"], one["where"], one["message"], one["remedy"])
        for one in problems
        if one["code"] in (LEFT_OUT, PARTIAL)
    ]


def header_loss(folder: Path, path: str) -> Loss | None:
    """Return what is wrong with a recording according to its header, without decoding it; None if nothing is wrong."""
    remedy = "copy the file again from its source, or remove it"
    try:
        info = probe(folder / path)
        if info.n_samples == 0 and not info.estimated:
            return Loss(LEFT_OUT, path, "contains no samples", remedy)
        reason = cut_off(folder / path)
    except (AudioError, OSError) as error:
        return Loss(LEFT_OUT, shown(path), str(error).removeprefix(f"{folder / path}: "), remedy)
    return Loss(PARTIAL, path, reason, remedy) if reason else None
