"""States that recordings should have, from a table, and the comparison with those that were found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ossicle.app.api.states.state_prediction import StatePrediction
from ossicle.artefacts.filesystem.reading import what_is_at
from ossicle.core.decisions.state_words import state_of_word
from ossicle.core.decisions.states import UNKNOWN, StateDecision, overall_status
from ossicle.core.errors import FormatError, UsageError
from ossicle.corpus.formats.cells.delimited import Delimited, read_delimited, unescape_cell
from ossicle.corpus.formats.cells.missing_values import stated

_NAMES = ("path", "recording", "file", "filename", "begin_path")
_STATUSES = ("state", "status")
STATUS = "(status)"
"""Stands for the overall status where the others are labels."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Expected against found, of one label or the overall status of one recording."""

    recording: str
    what: str
    expected: str
    found: str

    @property
    def agrees(self) -> bool:
        """Whether what was found is what was expected."""
        return self.expected == self.found


def read_expected(path: Path, labels: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return by recording the expected state of each label, and the overall status as ``STATUS`` if the table has it.

    The table has a column ``path`` (or ``recording``, ``file``), a column for each label with words for on and off
    (:mod:`~ossicle.core.decisions.state_words`; empty: unknown), and possibly ``state`` (or ``status``) with the
    overall status, like the ``files.csv`` of a project.

    Raises
    ------
    UsageError
        The file does not exist, or has no column for recordings, or none for what is expected.
    FormatError
        A cell is no state, or a recording stands there twice; the message names file and line.
    """
    if not path.is_file():
        raise UsageError(f"--expect {path}: {what_is_at(path)}; give a table")
    table = read_delimited(path)
    names = table.find(_NAMES)
    if names is None:
        raise UsageError(f"{table.where}: no column names the recordings; call it path, recording or file")
    columns = {label: column for label in labels if (column := _label_column(table, label)) is not None}
    status = next(
        (column for name in _STATUSES if name not in labels and (column := table.find([name])) is not None), None
    )
    if not columns and status is None:
        raise UsageError(
            f"{table.where}: has neither a column for a label ({', '.join(labels)}) nor a column state; name one so"
        )
    expected: dict[str, dict[str, str]] = {}
    for line, cells in table.rows:
        name = unescape_cell(cells[names].strip())
        if name in expected:
            raise FormatError(f"{path}, line {line}: {name!r} is there twice; remove one of the lines")
        expected[name] = {label: _state(path, line, label, cells[column]) for label, column in columns.items()}
        if status is not None and (status_text := unescape_cell(cells[status].strip())):
            expected[name][STATUS] = status_text
    return expected


def compared(
    expected: Mapping[str, Mapping[str, str]], done: Sequence[StatePrediction], decision: StateDecision
) -> list[Comparison]:
    """Return every expectation beside what was found, in the order of the table.

    A recording is found by its name, or by its file name if only one has it. A label that another one hides is expected
    to be unknown. What is expected to be unknown, and is not hidden, is not compared. A recording that was not
    predicted, or left out, is ``missing``.
    """
    by_name = {prediction.name: prediction for prediction in done}
    by_file: dict[str, list[StatePrediction]] = {}
    for prediction in done:
        by_file.setdefault(Path(prediction.name).name, []).append(prediction)
    comparisons = []
    for name, states in expected.items():
        alike = by_file.get(Path(name).name, [])
        state_prediction = by_name.get(name) or (alike[0] if len(alike) == 1 else None)
        labels = {label: state for label, state in states.items() if label != STATUS}
        hidden = decision.hidden(labels)
        expected_states = {label: hidden[label] for label, state in labels.items() if state != UNKNOWN}
        status = states.get(STATUS, "")
        if not status and decision.priority and set(decision.priority) <= expected_states.keys():
            status = overall_status(hidden, decision.priority)
        expected_states |= {STATUS: status} if status else {}
        for subject, state in expected_states.items():
            comparisons.append(Comparison(name, subject, state, _found_state(state_prediction, subject)))
    return comparisons


def _found_state(prediction: StatePrediction | None, subject: str) -> str:
    if prediction is None or prediction.status == "left_out":
        return "missing"
    return prediction.overall if subject == STATUS else prediction.states[subject]


def _label_column(table: Delimited, label: str) -> int | None:
    exact = [column for column, name in enumerate(table.header) if unescape_cell(name) == label]
    return exact[0] if exact else table.find([label])


def _state(path: Path, line: int, label: str, cell: str) -> str:
    state = state_of_word(stated(cell))
    if state is None:
        raise FormatError(
            f"{path}, line {line}: {label} = {cell!r} is not on or off (or 1, 0, yes, no, an, aus), unknown or empty"
        )
    return state
