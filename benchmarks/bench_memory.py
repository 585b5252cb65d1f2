"""Peak memory of `ossicle predict` on tapes of one and ten hours, with onnxruntime and with torch.

The tapes are made here: noise with a tone burst every minute, as 16 kHz WAV and 48 kHz FLAC. The peak is that of the
whole process tree (resident memory, looked at twenty times a second); the speed is that of the whole command.
"""

import argparse
import os
import platform
import tempfile
from datetime import date
from pathlib import Path

import numpy as np
import soundfile
from commands import OSSICLE, ossicle_json
from machine import RESULTS
from processes import measured
from smoke import parsed
from stand_ins import make_tape_project

from ossicle.artefacts.typed.results.released import BundleFolder

TAPES = (("wav", 16000, 1.0), ("wav", 16000, 10.0), ("flac", 48000, 10.0))
SMOKE_TAPES = (("wav", 16000, 1 / 60), ("flac", 48000, 1 / 60))


def make_tape(path: Path, rate: int, hours: float) -> None:
    """One minute of noise with a burst in it, over and over."""
    rng = np.random.default_rng(0)
    minute = rng.normal(0, 0.01, 60 * rate)
    burst = slice(30 * rate, 30 * rate + rate // 8)
    minute[burst] += 0.2 * np.sin(2 * np.pi * 3000 / rate * np.arange(rate // 8))
    with soundfile.SoundFile(path, "w", rate, 1, "PCM_16") as file:
        for _ in range(round(hours * 60)):
            file.write(minute)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, help="a bundle, as `ossicle run` leaves it")
    parser.add_argument("--work", type=Path, help="folder for the tapes (3 GB); else a temporary one")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parsed(parser)
    tapes = SMOKE_TAPES if args.smoke else TAPES
    if args.smoke:
        make_tape_project(args.scratch / "project")
        run = ossicle_json("run", "-p", args.scratch / "project", "--until", "bundle", "--progress", "none")
        args.bundle = BundleFolder(Path(run["artefacts"]["bundle"])).bundle
    elif args.bundle is None:
        parser.error("--bundle names none")
    lines = [
        f"# Memory of `ossicle predict`: {date.today().isoformat()}",
        "",
        f"{os.cpu_count()} cores, Python {platform.python_version()}; bundle `{args.bundle.resolve().parent.name}`.",
        "",
        "| tape | runtime | peak MiB | against one hour | seconds | times real time |",
        "|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory(dir=args.work) as folder:
        for kind, rate, hours in tapes:
            make_tape(Path(folder) / f"{hours:g}h-{rate}.{kind}", rate, hours)
        for runtime in ("onnx", "torch"):
            one_hour = 0.0
            for kind, rate, hours in tapes:
                tape = Path(folder) / f"{hours:g}h-{rate}.{kind}"
                command = [*OSSICLE, "predict", str(args.bundle), str(tape)]
                out = Path(folder) / f"{runtime}-{tape.stem}"
                run = measured([*command, "-o", str(out), "--format", "csv", "--runtime", runtime])
                mib, seconds = run.peak_mib, run.wall_s
                one_hour = one_hour or mib
                speed = f"{seconds:.0f} | {hours * 3600 / seconds:.0f}"
                lines.append(
                    f"| {hours:g} h {kind}, {rate} Hz | {runtime} | {mib:.0f} | {mib / one_hour:.2f} | {speed} |"
                )
                print(lines[-1], flush=True)
    text = "\n".join(lines) + "\n"
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / f"{date.today().isoformat()}-memory.md").write_text(text)


if __name__ == "__main__":
    main()
