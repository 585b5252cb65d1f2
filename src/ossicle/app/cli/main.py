"""``ossicle``: the commands, and how errors and signals end them."""

import errno
import os
import signal
import sys

import typer

from ossicle.app.cli.loading import LoadingGroup
from ossicle.app.cli.printable import printable, printable_message
from ossicle.app.cli.signals import EXIT_INTERRUPTED, EXIT_TERMINATED, EndingSignal
from ossicle.app.cli.warning_notes import warning_notes
from ossicle.core.errors import EXIT_FAILED, EXIT_USAGE, OssicleError

_HELP = (
    "Train detectors of sounds on annotated recordings, test them, and run them on new recordings.\n\n"
    "See everything work once on synthetic recordings with `ossicle demo`. For your own recordings, start with "
    "`ossicle new` and `ossicle run`, then find events in new recordings with `ossicle predict`. Exit codes: 0 done; "
    "1 failed; 2 wrong usage; 3 done, but some inputs were skipped; 4 a gate refused."
)


app = typer.Typer(
    name="ossicle",
    cls=LoadingGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(requested: bool) -> None:
    if requested:
        from importlib.metadata import version

        print(printable(version("ossicle")))
        raise typer.Exit


@app.callback(help=_HELP)
def _options(
    show_version: bool = typer.Option(False, "--version", help="Print the version.", callback=_version, is_eager=True),
) -> None:
    """Handle the options of ``ossicle`` itself."""


def main() -> None:
    """Run a command; its exit code says how it ended (see ``ossicle.core.errors``)."""
    code = main.__code__
    terminated = EndingSignal("terminated", lambda: SystemExit(EXIT_TERMINATED), code, once=False)
    signal.signal(signal.SIGTERM, terminated)
    # A shell may make a command in the background ignore Ctrl-C; keep this.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, EndingSignal("interrupted", KeyboardInterrupt, code, once=True))
    try:
        with warning_notes():
            app(standalone_mode=True)
    except OssicleError as error:
        print(printable_message(f"ossicle: {error}"), file=sys.stderr)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # The reader of our output has closed it (`| head`); without this the interpreter would report it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_FAILED)
    except OSError as error:
        # Print the system's message about a file: no space, no permission, a file in place of a folder.
        file_prefix = f"{error.filename}: " if error.filename is not None else ""
        remedy = f"; {_REMEDIES[error.errno]}" if error.errno in _REMEDIES else ""
        print(printable(f"ossicle: {file_prefix}{error.strerror or error}{remedy}"), file=sys.stderr)
        sys.exit(EXIT_FAILED)
    except ModuleNotFoundError as error:
        extra = OPTIONAL.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        print(printable(f"ossicle: this command needs {error.name}: pip install 'ossicle[{extra}]'"), file=sys.stderr)
        sys.exit(EXIT_USAGE)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


_ROOM = "free some disk space, then run the same command again to continue"
_REMEDIES = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EFBIG: "raise the limit on file sizes (ulimit -f), then run the same command again to continue",
    errno.EROFS: "choose a folder that is writable",
    errno.EACCES: "change the permissions, or choose another folder",
    errno.EPERM: "change the permissions, or choose another folder",
    errno.EEXIST: "it is not overwritten; choose another path",
    errno.ENOTDIR: "a file stands where a folder is needed; choose another path",
    errno.EISDIR: "a folder stands where a file is needed; choose another path",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ELOOP: "its links lead nowhere; choose another path",
    errno.EMFILE: "raise the limit on open files (ulimit -n), then run the same command again to continue",
    errno.EIO: "look at the disk or the connection to it, then run the same command again to continue",
}

_OF_TRAIN = ("torch", "lightning", "onnx", "safetensors", "matplotlib", "jinja2", "tensorboard")
_OF_LIVE = ("sounddevice", "paho")
OPTIONAL = {
    **dict.fromkeys(_OF_TRAIN, "train"),
    **dict.fromkeys(_OF_LIVE, "live"),
    "openvino": "openvino",
    "wandb": "wandb",
}
"""Packages of optional extras, and the name of the extra that installs each."""
