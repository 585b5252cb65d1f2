"""``ossicle live``: a bundle on a microphone."""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from ossicle.app.api.bundles.loaded_bundle import load_bundle
from ossicle.app.api.live_session import live_session, microphone_input, open_sinks
from ossicle.app.cli.options import Json, Threads
from ossicle.app.cli.printable import json_text, printable
from ossicle.app.cli.signals import EXIT_INTERRUPTED, EXIT_TERMINATED
from ossicle.app.cli.tables.table import print_rows
from ossicle.app.cli.use.label_table import print_label_table
from ossicle.app.cli.use.predict import Channel, Folds, Precision, Runtime, asked_channel, warn_if_refused
from ossicle.app.cli.use.project_folders import refuse_project_folder
from ossicle.core.errors import EXIT_FAILED, EXIT_INCOMPLETE, UsageError
from ossicle.core.model_input.missing_band import missing_words
from ossicle.core.text.counting import counted
from ossicle.live.capture import DeviceError
from ossicle.live.portaudio import input_devices
from ossicle.live.recording import Recording
from ossicle.live.session import Session, SessionOptions
from ossicle.live.sinks.addresses import KINDS, SinkAddress, sink_address
from ossicle.live.sinks.fan_out import FanOut
from ossicle.live.sinks.queue import MOST_LINES, SinkReport

_EXITS = {signal.SIGINT: EXIT_INTERRUPTED, signal.SIGTERM: EXIT_TERMINATED}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(live)


def live(
    bundle: Annotated[
        Path | None,
        typer.Argument(
            help="Bundle folder, as written by `ossicle run`, or registry:NAME@current of a promoted one.",
            show_default=False,
        ),
    ] = None,
    device: Annotated[
        str,
        typer.Option(
            help="Microphone: its number or a part of its name, see --list-devices; by default that of the system.",
            show_default=False,
        ),
    ] = "",
    list_devices: Annotated[bool, typer.Option("--list-devices", help="List the input devices and end.")] = False,
    sink: Annotated[
        list[str] | None,
        typer.Option("--sink", help=f"Where lines go: {KINDS}. Repeatable. Default: stdout.", show_default=False),
    ] = None,
    only_changes: Annotated[
        bool,
        typer.Option(
            "--only-changes", help="No heartbeat lines, and no changes that leave the overall status of states."
        ),
    ] = False,
    heartbeat_s: Annotated[float, typer.Option(min=0.1, help="Seconds between heartbeat lines.")] = 10.0,
    record: Annotated[
        Path | None,
        typer.Option("--record", help="Also write what is heard to this WAV file.", show_default=False),
    ] = None,
    rate: Annotated[
        int, typer.Option(min=0, max=1_000_000, help="Sample rate in Hz to record at; 0: the one of the device.")
    ] = 0,
    buffer_s: Annotated[
        float, typer.Option(min=0.5, max=600.0, help="Seconds of sound to keep while the model is busy.")
    ] = 10.0,
    queue_lines: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="Lines that may wait for a sink before the oldest is dropped.")
    ] = MOST_LINES,
    for_s: Annotated[
        float, typer.Option("--for-s", min=0.0, help="End after so many seconds; 0: at Ctrl-C or SIGTERM.")
    ] = 0.0,
    runtime: Runtime = "onnx",
    precision: Precision = "fp32",
    folds: Folds = False,
    threads: Threads = 1,
    channel: Channel = "",
    as_json: Json = False,
) -> None:
    """Listen to a microphone and print events or states as JSON lines, as soon as each is decided.

    Sound that could not be heard is reported as a gap, and a device that vanished is opened again when it is back. At
    the end, counts and durations by label are printed; with --json as one JSON line. Exit codes: 130 after Ctrl-C, 143
    after SIGTERM; 3 if --for-s ended it and lines or recorded samples were lost, or the device was silent at the end.
    """
    if list_devices:
        _list_devices(as_json=as_json)
        return
    if bundle is None:
        raise UsageError("give a bundle folder, or --list-devices")
    addresses = list(dict.fromkeys(map(sink_address, sink or ["stdout"])))
    _refuse_one_file_for_two(record, addresses)
    refuse_project_folder(bundle, "live")
    opened = load_bundle(
        bundle, runtime, threads=threads, precision=precision, folds=folds, channel=asked_channel(channel)
    )
    warn_if_refused(opened)
    heard, name = microphone_input(opened, device, rate, opened.channel, buffer_s)
    if message := missing_words(heard.rate, opened.top_hz):
        _say(f"{name}: {message}; choose another --rate or microphone")
    failures: list[str] = []

    def recording_failed(failure: str) -> None:
        failures.append(failure)
        _say(f"the recording ended early: {failure}")

    recording = None if record is None else Recording(record, heard.rate, recording_failed)
    options = SessionOptions(opened.channel, 0.0 if only_changes else heartbeat_s, only_changes=only_changes)
    sinks = open_sinks(addresses, queue_lines)
    session = live_session(opened, heard, sinks, recording, options)
    _say(f"listening to {name} at {heard.rate} Hz; Ctrl-C ends it")
    tell = _teller()
    with _noting_signals() as noted:
        ends_s = time.monotonic() + for_s if for_s else float("inf")

        def stop() -> bool:
            tell(_problems(sinks, session, name))
            return bool(noted) or time.monotonic() >= ends_s

        try:
            session.run(stop)
        except DeviceError as error:
            raise UsageError(f"{error}; is it in use, or unplugged? See --list-devices") from None
        finally:
            # Also after an error: lines that wait are of what was heard.
            reports = sinks.end()
        summary = session.summary() | {
            "sinks": [_report_facts(report) for report in reports],
            "recorded": [] if recording is None else [str(file) for file in recording.files],
        }
        _print_summary(summary, as_json=as_json, stdout_works=not _is_stuck(reports))
    if noted:
        raise typer.Exit(_EXITS[noted[0]])
    if sinks.all_gone:
        raise typer.Exit(EXIT_FAILED)
    if failures or session.ended_silent or any(report.lost for report in reports):
        raise typer.Exit(EXIT_INCOMPLETE)


def _refuse_one_file_for_two(record: Path | None, addresses: list[SinkAddress]) -> None:
    """Raise UsageError where the recording would replace the lines of a sink."""
    targets = [Path(address.target).absolute() for address in addresses if address.kind == "jsonl"]
    if record is not None and record.absolute() in targets:
        raise UsageError(f"--record and --sink name the same file, {record}; give two names")


def _list_devices(*, as_json: bool) -> None:
    devices = input_devices(with_rates=True)
    if not devices and not as_json:
        print("no input device was found; connect a microphone, or start the sound server")
        return
    if as_json:
        print(json_text([device.facts() for device in devices]))
        return
    rows = [
        (
            f"{device.index}{' *' if device.default else ''}",
            device.name,
            device.interface,
            str(device.inputs),
            str(device.default_rate),
            " ".join(map(str, device.rates)),
        )
        for device in devices
    ]
    print_rows(("device", "name", "interface", "inputs", "rate", "rates (Hz)"), rows)
    print(
        printable("* is the default" if any(device.default for device in devices) else "no default input device is set")
    )


@contextmanager
def _noting_signals() -> Iterator[list[signal.Signals]]:
    """Note Ctrl-C and SIGTERM in the block instead of ending at once: the session ends in order."""
    noted: list[signal.Signals] = []

    def note(number: int, frame: FrameType | None) -> None:
        noted.append(signal.Signals(number))

    before = {number: signal.getsignal(number) for number in _EXITS}
    for number, handler in before.items():
        # A signal that the shell makes the process ignore stays ignored.
        if handler is not signal.SIG_IGN:
            signal.signal(number, note)
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _problems(sinks: FanOut, session: Session, device: str) -> list[str]:
    """Return what does not work at present, in words: sinks, and the device."""
    problems = [f"{failure}; its lines wait, and it is tried again" for failure in sinks.failing()]
    if session.silent_since_s is not None:
        problems.append(
            f"{device}: no sound since second {session.silent_since_s:.1f} of the session; it is opened again when it "
            "is back"
        )
    return problems


def _teller() -> Callable[[list[str]], None]:
    """Return a function that prints each problem once, when it begins."""
    reported: set[str] = set()

    def tell(problems: list[str]) -> None:
        for problem in problems:
            if problem not in reported:
                _say(problem)
        reported.intersection_update(problems)
        reported.update(problems)

    return tell


def _report_facts(report: SinkReport) -> dict[str, Any]:
    return {
        "name": report.name,
        "delivered": report.delivered,
        "lost": report.lost,
        "last_error": report.last_error,
    }


def _print_summary(summary: dict[str, Any], *, as_json: bool, stdout_works: bool) -> None:
    """Print what was heard: a table on stderr, or one JSON line on stdout."""
    if as_json:
        if stdout_works:
            print(json_text({"summary": summary}, indent=None), flush=True)
        return
    print_label_table(summary["labels"])
    lag, load = summary["lag_s"], summary["load"]
    delays = "" if lag is None else f"; lag {lag['median']} s, at most {lag['most']} s; load {100 * load:.1f} %"
    _say(f"heard {summary['heard_s']:.1f} s; {counted(summary['gaps'], 'gap')}, {summary['gap_s']:.1f} s{delays}")
    for sink in summary["sinks"]:
        last_failure = f"; last failure: {sink['last_error']}" if sink["last_error"] else ""
        _say(f"{sink['name']}: {counted(sink['delivered'], 'line')} delivered, {sink['lost']} lost{last_failure}")
    for path in summary["recorded"]:
        _say(f"recorded {path}")


def _is_stuck(reports: list[SinkReport]) -> bool:
    """Whether nobody reads standard output any more: printing to it would fail, or never return."""
    return any(report.name == "stdout" and report.lost for report in reports)


def _say(text: str) -> None:
    print(printable(text), file=sys.stderr)
