"""What a run could not use of its recordings and annotations: each is named and changes the exit code (invariant 7)."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.audio.probe import probe
from ossicle.core.errors import AudioError
from ossicle.corpus.health.findings import LOSSES
from ossicle.corpus.naming.file_listing import shown

LEFT_OUT, PARTIAL = "left_out", "partial"
_MOST_OF_A_FILE = 5


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that is not used: a recording, the rest of one, or annotations; where, what is wrong, what to do."""

    code: str
    path: str
    message: str
    remedy: str

    @property
    def line(self) -> str:
        """Return the loss as one line of text."""
        return f"{self.path}: {self.code.replace('_', ' ')}: {self.message}; {self.remedy}"


def loss_lines(all_losses: Iterable[Loss]) -> list[str]:
    """Return losses as lines for people: of many of one kind in one file, such as rows of a table, the first five.

    Every file is named.

    Parameters
    ----------
    all_losses
        The losses.

    Examples
    --------
    >>> lines = loss_lines(Loss("unmatched_rows", "words.tsv", f"row {n}", "add it") for n in range(600))
    >>> len(lines), lines[-1]
    (6, 'words.tsv: unmatched rows: and 595 more; ossicle dataset health lists all')
    """
    lines: list[str] = []
    n_of_kind: Counter[tuple[str, str]] = Counter()
    for loss in all_losses:
        n_of_kind[loss.code, loss.path] += 1
        if n_of_kind[loss.code, loss.path] <= _MOST_OF_A_FILE:
            lines.append(loss.line)
    return lines + [
        f"{path}: {code.replace('_', ' ')}: and {count - _MOST_OF_A_FILE} more; ossicle dataset health lists all"
        for (code, path), count in n_of_kind.items()
        if count > _MOST_OF_A_FILE
    ]


def losses(corpus: Path) -> list[Loss]:
    """Return what a run lost, from the health of the corpus in the artefact ``corpus``."""
    problems = CorpusFolder(corpus).health["problems"]
    found_losses = [
        Loss(problem["code"], problem["where"], problem["message"], problem["remedy"])
        for problem in problems
        if problem["code"] in LOSSES
    ]
    named = {loss.path for loss in found_losses if loss.code in (LEFT_OUT, PARTIAL)}
    # Annotations that are lost with their recording are not named again.
    return [loss for loss in found_losses if loss.code in (LEFT_OUT, PARTIAL) or loss.path not in named]


def header_loss(folder: Path, path: str) -> Loss | None:
    """Return what is wrong with a recording according to its header, without decoding it; None if nothing is wrong."""
    remedy = "copy the file again from its source, or remove it"
    try:
        info = probe(folder / path)
        if info.n_samples == 0 and not info.estimated:
            return Loss(LEFT_OUT, path, "contains no samples", remedy)
    except (AudioError, OSError) as error:
        return Loss(LEFT_OUT, shown(path), str(error).removeprefix(f"{folder / path}: "), remedy)
    return Loss(PARTIAL, path, info.fault, remedy) if info.fault else None
