"""``predict`` and ``stream`` for bundles of states."""

import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import typer

from ossicle.app.api.bundles.loaded_bundle import LoadedBundle
from ossicle.app.api.states.expected_states import Comparison, compared, read_expected
from ossicle.app.api.states.state_prediction import StatePrediction
from ossicle.app.api.states.state_tables import FILES, SCORES, STATES, recording_json, write_state_scores, write_states
from ossicle.app.cli.printable import json_text, printable
from ossicle.app.cli.tables.table import print_rows
from ossicle.app.cli.use.asked_recordings import asked_recordings
from ossicle.app.cli.use.finished_recordings import Finished, file_state, predicted_with, state_record
from ossicle.app.cli.use.label_table import print_label_table
from ossicle.app.cli.use.output_tables import OutputTables
from ossicle.app.cli.use.prediction_summary import outcome_in_words
from ossicle.app.cli.use.recording_warnings import warn_of_recording
from ossicle.artefacts.filesystem.changes import writable_folders
from ossicle.artefacts.locks.lock import project_lock
from ossicle.audio.decoding.decode import DecodeReport
from ossicle.core.errors import EXIT_FAILED, EXIT_INCOMPLETE, UsageError
from ossicle.core.text.counting import counted
from ossicle.live.label_log import LabelLog
from ossicle.live.state_lines import StateLines


@dataclass(frozen=True, slots=True)
class StateOptions:
    """Options of ``predict`` that bundles of states read; the first two are theirs alone."""

    expect: Path | None = None
    scores_only: bool = False
    force: bool = False

    @property
    def given(self) -> str:
        """The first of them that was given, for messages; empty for none."""
        if self.expect is not None:
            return "--expect"
        return "--scores-only" if self.scores_only else ""


def predict_states(
    opened: LoadedBundle,
    files: Sequence[Path],
    out: Path,
    table_formats: Sequence[str],
    options: StateOptions,
    *,
    as_json: bool,
) -> None:
    """Write the states in recordings as tables, or their scores; compare them with a table if one is given."""
    if options.expect is not None and options.scores_only:
        raise UsageError("--expect compares states, which --scores-only does not give: leave one of the two out")
    states = opened.states
    if not options.scores_only:
        states.require_fitted()
    expected = None if options.expect is None else read_expected(options.expect, opened.labels)
    audio, unread = asked_recordings(files)
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out} is a file; give a folder")
    tables = (SCORES,) if options.scores_only else (STATES, FILES)
    table_files = [f"{table}.{ending}" for table in tables for ending in table_formats]
    with writable_folders([out]), project_lock(out):
        mine = OutputTables(out, files=table_files)
        if not options.force:
            mine.refuse_changed()
        done = []
        record = state_record(states.labels, states.decision.priority)
        made_with = predicted_with(opened.manifest, opened.engine, opened.channel)
        finished = Finished(out, made_with, record, discard=options.force)
        for number, (name, path) in enumerate(audio, start=1):
            state = file_state(path)
            state_prediction = None if options.scores_only else finished.find(name, path, state)
            prediction = state_prediction or (states.score_file if options.scores_only else states.predict_file)(
                path, name
            )
            if state_prediction is None and not options.scores_only:
                finished.mark(prediction, state)
            done.append(prediction)
            warn_of_recording(opened, name, path, prediction.channels_cancel_db)
            outcome = _outcome(prediction, scores_only=options.scores_only, reused=state_prediction is not None)
            _say(f"[{number}/{len(audio)}] {name}: {outcome}")
        if options.scores_only:
            write_state_scores(out, done, opened.plan, table_formats, mine.writing)
        else:
            write_states(out, done, table_formats, mine.writing)
    comparisons = [] if expected is None else compared(expected, done, states.decision)
    if as_json:
        recordings = [recording_json(prediction) for prediction in done]
        rows = [{**_fields(comparison), "agrees": comparison.agrees} for comparison in comparisons]
        print(json_text({"recordings": recordings, "expected": rows}))
    else:
        _print_done(done, scores_only=options.scores_only)
        print(printable(f"wrote {', '.join(table_formats)} to {out}"))
        _print_compared(comparisons)
    _exit(done, comparisons, unread, has_expectations=expected is not None)


def print_changes(opened: LoadedBundle, file: Path, chunk_s: float, *, only_changes: bool) -> DecodeReport:
    """Print the states of a file as JSON lines, each as soon as it is decided, and return how decoding ended.

    With ``only_changes`` changes are left out that do not change the overall status, if there is one. At the end the
    event log goes to stderr: how often and how long each label was on, and how long the changes took to be decided.
    """
    lines = StateLines(opened.labels, opened.states.decision.priority, only_changes=only_changes)
    log, delays_s = LabelLog(list(opened.labels)), array("d")
    moments = opened.states.stream_file(file, chunk_s)
    while True:
        try:
            changes = next(moments)
        except StopIteration as end:
            report: DecodeReport = end.value
            break
        for line in lines.of(changes):
            print(json_text(line, indent=None), flush=True)
        for change in changes:
            log.change(change.label, change.state, change.time_s)
            delays_s.append(change.decided_at_s - change.time_s)
    print_label_table(log.summary(report.end_s, report.end_s))
    if delays_s:
        _say(f"changes were decided after {median(delays_s):.2f} s of sound (median), at most {max(delays_s):.2f} s")
    return report


def _print_done(done: Sequence[StatePrediction], *, scores_only: bool) -> None:
    if scores_only:
        print_rows(("recording", "status"), [(prediction.name, prediction.status) for prediction in done])
        return
    labels = done[0].labels if done else ()
    rows = [
        (prediction.name, prediction.status, prediction.overall, *(prediction.states[label] for label in labels))
        for prediction in done
    ]
    print_rows(("recording", "status", "state", *labels), rows)


def _print_compared(comparisons: Sequence[Comparison]) -> None:
    if not comparisons:
        return
    rows = [
        (
            comparison.recording,
            comparison.what,
            comparison.expected,
            comparison.found,
            "" if comparison.agrees else "differs",
        )
        for comparison in comparisons
    ]
    print_rows(("recording", "label", "expected", "found", ""), rows)
    right = sum(comparison.agrees for comparison in comparisons)
    print(printable(f"{right} of {len(comparisons)} as expected"))


def _fields(comparison: Comparison) -> dict[str, str]:
    return {
        "recording": comparison.recording,
        "label": comparison.what,
        "expected": comparison.expected,
        "found": comparison.found,
    }


def _exit(
    done: Sequence[StatePrediction], comparisons: Sequence[Comparison], unread: Sequence[str], *, has_expectations: bool
) -> None:
    """End with exit code 1 if something is not as expected, with 3 if recordings were left out or are not read."""
    for line in unread:
        _say(line)
    if has_expectations and not comparisons:
        raise UsageError("--expect: the table expects no state of any recording; fill in on or off")
    wrong = [comparison for comparison in comparisons if not comparison.agrees]
    if wrong:
        names = list(dict.fromkeys(comparison.recording for comparison in wrong))
        _say(f"{counted(len(names), 'recording')} not as expected, first {names[0]}; the table above lists all")
        raise typer.Exit(EXIT_FAILED)
    lost = [prediction for prediction in done if prediction.status in ("left_out", "partial")]
    if lost:
        _say(
            f"{len(lost)} of {len(done)} recordings were skipped or end early; they are listed above. Repair them or "
            "copy them again, then run the same command again"
        )
    if lost or unread:
        raise typer.Exit(EXIT_INCOMPLETE)


def _outcome(prediction: StatePrediction, *, scores_only: bool, reused: bool) -> str:
    found = prediction.overall or ", ".join(f"{label} {state}" for label, state in prediction.states.items())
    return outcome_in_words("scored" if scores_only else found, prediction, reused=reused)


def _say(line: str) -> None:
    print(printable(line), file=sys.stderr)
