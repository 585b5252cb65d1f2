"""Where a measurement ran and where its table goes: what every script here says of itself."""

import os
import platform
from collections.abc import Iterable
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"


def data_folder() -> Path:
    """The folder of real recordings: ``OSSICLE_TEST_DATA``, else ``../shared/data`` beside the checkout."""
    named = os.environ.get("OSSICLE_TEST_DATA")
    return Path(named) if named else HERE.parent.parent / "shared" / "data"


def cpu() -> str:
    """The processor by its own name, with what it has for 16-bit arithmetic, where the system tells it."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    fields = {line.split(":", 1)[0].strip(): line.split(":", 1)[1].strip() for line in lines if ":" in line}
    flags = set(fields.get("flags", "").split())
    fast = [name for name in ("amx_bf16", "avx512_bf16", "avx512f", "avx2") if name in flags]
    return f"{fields.get('model name', platform.processor() or 'CPU')}{f', {fast[0]}' if fast else ''}"


def described(packages: Iterable[str] = ()) -> str:
    """One sentence: processor, cores, Python, versions of ``packages`` and how busy the machine is."""
    library_versions = []
    for name in packages:
        try:
            library_versions.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            library_versions.append(f"no {name}")
    versions = f", {', '.join(library_versions)}" if library_versions else ""
    busy = f"; load average {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{os.cpu_count()} cores ({cpu()}), Python {platform.python_version()}{versions}{busy}."


def write_result(name: str, text: str, folder: Path = RESULTS) -> Path:
    """Leave a table as ``<date>-<name>.md`` and print it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{date.today().isoformat()}-{name}.md"
    path.write_text(text if text.endswith("\n") else text + "\n")
    print(text)
    return path


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    names = list(head)
    lines = [names, ["---"] * len(names), *(list(row) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
