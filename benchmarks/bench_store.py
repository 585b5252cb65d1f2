"""Random 5 s crops: the store against Ogg, MP3, FLAC and WAV, decoded whole and by seeking, and a raw memory map.

The recordings are made here: noise that swells, with rising tones, 60 s each at the store's rate, so that nothing is
resampled and reading from files shows its best side. Plain libsndfile seeks and decodes (`SoundFile.seek` and `read`,
the file opened for each crop, as a training without a store would), our own reading of recordings that are not in the
store is a row of its own. Every crop is read in all ways in turn, and a ratio is the median of those of single crops.
All files lie in the page cache. Two processes share two cores; memory is what /proc says of a process that reads 20
epochs; the break-even is the epoch, of one crop a recording, after which building the store has paid.
"""

import argparse
import multiprocessing
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from importlib.metadata import version
from multiprocessing.synchronize import Barrier
from pathlib import Path
from statistics import median

import numpy as np
import soundfile
from machine import RESULTS, cpu
from numpy.typing import NDArray
from smoke import parsed, require

from ossicle.artefacts.files import file_digest
from ossicle.audio.decoding.versions import decoder_versions
from ossicle.audio.store import MixedStore, Store, StoreItem, StoreSettings, build_store
from ossicle.audio.store.shard import dataset, open_shard

HERE = Path(__file__).resolve().parent
EQUAL = ("store, through h5py", "raw memory map", "flac, seeking", "flac, whole file", "flac, ours, not in the store")
"""Ways that give the very samples of the store."""
SIDE_BY_SIDE = ("store", "raw memory map", "flac, seeking", "ogg, seeking", "mp3, seeking", "ogg, whole file")
KINDS = {"wav": "PCM_16", "flac": "PCM_16", "ogg": "VORBIS", "mp3": "MPEG_LAYER_III"}
MIB = 1 << 20
Way = Callable[[str, int, int], NDArray[np.float32]]


def make_corpus(work: Path, files: int, seconds: float, rate: int) -> None:
    """The same recordings in every format."""
    time_s = np.arange(round(seconds * rate)) / rate
    for number in range(files):
        rng = np.random.default_rng(number)
        noise = np.convolve(rng.standard_normal(len(time_s)), np.ones(4) / 4, "same") * (
            1 + np.sin(time_s * rng.uniform(0.5, 2))
        )
        tone = np.sin(2 * np.pi * (2000 + 1500 * np.mod(time_s, rng.uniform(0.4, 1.2))) * time_s) * (
            np.mod(time_s, 3) < 1
        )
        sound = (0.05 * noise + 0.2 * tone).astype(np.float32)
        for kind, subtype in KINDS.items():
            file = work / kind / f"r{number}.{kind}"
            file.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(file, sound, rate, subtype, format=kind.upper())


def items_of(work: Path, kind: str) -> list[StoreItem]:
    paths = sorted((work / kind).iterdir())
    return [StoreItem(path.stem, path, file_digest(path)) for path in paths]


def store_of(work: Path, kind: str, name: str, rate: int, settings: StoreSettings, workers: int = 1) -> Path:
    """A store of one format, built; shards are small, so that workers have some each."""
    folder = work / name
    items = items_of(work, kind)
    seconds = sum(soundfile.info(item.path).duration for item in items)
    build_store(items, folder, rate, settings, audio=work / kind, workers=workers, shard_s=seconds / 8)
    return folder


def ways(work: Path, rate: int, n_samples: int) -> dict[str, Way]:
    """How to read a crop (recording, start, length), by name."""
    by_name: dict[str, Way] = {}
    store = Store(work / "store")
    by_name["store"] = store.read

    files = {entry.shard: open_shard(store.folder, entry.shard) for entry in store.entries}
    sets = {entry.recording_id: dataset(files[entry.shard], entry.recording_id) for entry in store.entries}

    def hdf5(name: str, start: int, length: int) -> NDArray[np.float32]:
        samples = np.empty(length, np.float32)
        samples[:] = sets[name][start : start + length]
        samples *= np.float32(store.entry(name).scale)
        return samples

    by_name["store, through h5py"] = hdf5
    raw = np.memmap(work / "raw.i2", dtype="<i2", mode="r")
    scales = np.load(work / "scales.npy")

    def mapped(name: str, start: int, length: int) -> NDArray[np.float32]:
        number = int(name[1:])
        first = number * n_samples + start
        samples = raw[first : first + length].astype(np.float32)
        samples *= scales[number]
        return samples

    by_name["raw memory map"] = mapped
    for kind in KINDS:
        by_name[f"{kind}, seeking"] = _seeking(work, kind)
        by_name[f"{kind}, whole file"] = _whole(work, kind)
        by_name[f"{kind}, ours, not in the store"] = MixedStore(work / f"{kind}-raw", work / kind).read
    return by_name


def _seeking(work: Path, kind: str) -> Way:
    def read(name: str, start: int, length: int) -> NDArray[np.float32]:
        with soundfile.SoundFile(work / kind / f"{name}.{kind}") as sound:
            sound.seek(start)
            samples: NDArray[np.float32] = sound.read(length, dtype="float32")
            return samples

    return read


def _whole(work: Path, kind: str) -> Way:
    def read(name: str, start: int, length: int) -> NDArray[np.float32]:
        samples: NDArray[np.float32] = soundfile.read(work / kind / f"{name}.{kind}", dtype="float32")[0]
        return samples[start : start + length]

    return read


def crops(files: int, n_samples: int, length: int, count: int, seed: int = 0) -> list[tuple[str, int, int]]:
    rng = np.random.default_rng(seed)
    return [(f"r{rng.integers(files)}", int(rng.integers(n_samples - length)), length) for _ in range(count)]


def measure(all_ways: dict[str, Way], chosen_crops: list[tuple[str, int, int]]) -> dict[str, list[float]]:
    """Seconds of each way on each crop, in turns; the first crops warm up and are left out.

    Another way begins each time: who comes first finds the crop farther from the processor than who comes after.
    """
    times: dict[str, list[float]] = {name: [] for name in all_ways}
    names = list(all_ways)
    for number, crop in enumerate(chosen_crops):
        for offset in range(len(names)):
            name = names[(number + offset) % len(names)]
            began = time.perf_counter()
            all_ways[name](*crop)
            if number >= len(chosen_crops) // 10:
                times[name].append(time.perf_counter() - began)
    return times


def differences(all_ways: dict[str, Way], chosen_crops: list[tuple[str, int, int]]) -> dict[str, float]:
    """The largest difference from the store's samples, which were decoded from FLAC."""
    largest = dict.fromkeys(all_ways, 0.0)
    for crop in chosen_crops[:10]:
        stored = all_ways["store"](*crop)
        for name, way in all_ways.items():
            largest[name] = max(largest[name], float(np.abs(way(*crop) - stored).max()))
    return largest


def _work(
    work: Path, rate: int, n_samples: int, name: str, chosen_crops: list[tuple[str, int, int]], start: Barrier
) -> None:
    way = ways(work, rate, n_samples)[name]
    for crop in chosen_crops[: max(3, len(chosen_crops) // 10)]:
        way(*crop)
    start.wait()
    for crop in chosen_crops:
        way(*crop)
    start.wait()


def side_by_side(
    work: Path, rate: int, n_samples: int, name: str, workers: int, chosen_crops: list[tuple[str, int, int]]
) -> float:
    """Crops a second of so many processes, each reading ``chosen_crops``."""
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(workers + 1)
    arguments = (work, rate, n_samples, name, chosen_crops, start)
    processes = [context.Process(target=_work, args=arguments) for _ in range(workers)]
    for process in processes:
        process.start()
    start.wait()
    began = time.perf_counter()
    start.wait()
    seconds = time.perf_counter() - began
    for process in processes:
        process.join()
    return workers * len(chosen_crops) / seconds


_EPOCHS = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import numpy as np
import bench_store
from ossicle.audio.store import MixedStore
place, name, cache, rate, n_samples, files, length, epochs = Path(sys.argv[2]), sys.argv[3], *map(float, sys.argv[4:])
rate, n_samples, files, length, epochs = int(rate), int(n_samples), int(files), int(length), int(epochs)
if cache:
    read = MixedStore(place / "store", None, cache).read
else:
    read = bench_store.ways(place, rate, n_samples)[name]
resident = lambda: int(Path("/proc/self/statm").read_text().split()[1]) * 4096
after = []
for epoch in range(epochs):
    for crop in bench_store.crops(files, n_samples, length, files, epoch):
        read(*crop)
    after.append(resident())
print(after[0], after[-1], max(after))
"""


def memory(work: Path, name: str, cache_mb: float, *sizes: int) -> list[float]:
    """Resident MiB of a process after the first and last epoch, and the most."""
    command = [sys.executable, "-c", _EPOCHS, str(HERE), str(work), name, str(cache_mb), *map(str, sizes)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return [int(n_bytes) / MIB for n_bytes in done.stdout.split()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=120, help="recordings in each format")
    parser.add_argument("--seconds", type=float, default=60.0, help="length of a recording")
    parser.add_argument("--rate", type=int, default=32000, help="rate of recordings and store, in Hz")
    parser.add_argument("--crop-s", type=float, default=5.0)
    parser.add_argument("--crops", type=int, default=300, help="crops read in every way")
    parser.add_argument("--epochs", type=int, default=20, help="epochs over which memory is watched")
    parser.add_argument("--work", type=Path, help="folder for the recordings (2 GB); else a temporary one")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parsed(parser, files=3, seconds=8.0, rate=16000, crop_s=1.0, crops=10, epochs=2)
    n_samples, length = round(args.seconds * args.rate), round(args.crop_s * args.rate)
    versions = ", ".join(f"{name} {of}" for name, of in decoder_versions().items())
    lines = [
        f"# Random crops from store and files: {date.today().isoformat()}",
        "",
        f"{cpu()}; {os.cpu_count()} cores; Python {platform.python_version()}, numpy {version('numpy')}, "
        f"h5py {version('h5py')}, {versions}. {args.files} recordings of {args.seconds:g} s at {args.rate} Hz, "
        f"{args.crops} crops of {args.crop_s:g} s. Load of the machine before: {os.getloadavg()[0]:.1f}.",
        "",
    ]
    with tempfile.TemporaryDirectory(dir=args.work) as folder:
        work = Path(folder)
        make_corpus(work, args.files, args.seconds, args.rate)
        # Every process is seconds of imports: a smoke run starts few.
        built = {
            (kind, workers): _build_seconds(work, kind, args.rate, workers)
            for kind in KINDS
            for workers in ((1,) if args.smoke and kind != "flac" else (1, 2))
        }
        store = store_of(work, "flac", "store", args.rate, StoreSettings())
        for kind in KINDS:
            store_of(work, kind, f"{kind}-raw", args.rate, StoreSettings(raw=True))
        _write_raw(store, work, args.files)
        all_ways = ways(work, args.rate, n_samples)
        chosen_crops = crops(args.files, n_samples, length, args.crops)
        times, different = measure(all_ways, chosen_crops), differences(all_ways, chosen_crops)
        for name in EQUAL:
            require(different[name] == 0, f"{name} reads the samples of the store")
        lines += _crop_table(times, different)
        lines += _targets(times)
        lines += ["", "| crops a second | 1 process | 2 processes |", "|---|---|---|"]
        for name in SIDE_BY_SIDE[:1] if args.smoke else SIDE_BY_SIDE:
            count = max(10, min(20 * args.crops, int(1.0 / median(times[name]))))
            many = crops(args.files, n_samples, length, count, 1)
            speeds = {
                workers: f"{side_by_side(work, args.rate, n_samples, name, workers, many):.0f}"
                for workers in ((2,) if args.smoke else (1, 2))
            }
            lines.append(f"| {name} | {speeds.get(1, '–')} | {speeds[2]} |")
        lines += [
            "",
            f"| resident MiB over {args.epochs} epochs | after the first | after the last | most |",
            "|---|---|---|---|",
        ]
        sizes = (args.rate, n_samples, args.files, length, args.epochs)
        cache_mb = args.files * n_samples * 2 / 4e6
        watched = {
            "store": 0.0,
            f"store, cache of {cache_mb:.0f} MB": cache_mb,
            "raw memory map": 0.0,
            "flac, ours, not in the store": 0.0,
        }
        for name, cache in list(watched.items())[1:2] if args.smoke else watched.items():
            memory_mib = memory(work, name, cache, *sizes)
            lines.append(f"| {name} | {memory_mib[0]:.0f} | {memory_mib[1]:.0f} | {memory_mib[2]:.0f} |")
        lines += _build_table(times, built, args.files)
    text = "\n".join(lines) + "\n"
    print(text)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / f"{date.today().isoformat()}-store.md").write_text(text)


def _build_seconds(work: Path, kind: str, rate: int, workers: int) -> float:
    began = time.perf_counter()
    folder = store_of(work, kind, f"{kind}-{workers}", rate, StoreSettings(), workers)
    seconds = time.perf_counter() - began
    shutil.rmtree(folder)
    return seconds


def _write_raw(store: Path, work: Path, files: int) -> None:
    """The samples of the store one after another in a file, and what each is worth."""
    with Store(store) as read, (work / "raw.i2").open("wb") as file:
        scales = [np.float32(read.entry(f"r{number}").scale) for number in range(files)]
        for number, scale in enumerate(scales):
            samples = read.read(f"r{number}", 0, read.n_samples(f"r{number}"))
            file.write(np.rint(samples / scale).astype("<i2").tobytes())
    np.save(work / "scales.npy", np.array(scales, np.float32))


def _crop_table(found: dict[str, list[float]], different: dict[str, float]) -> list[str]:
    lines = [
        "| a crop | median ms | 90 % | times the store's (median; 10 to 90 %) | differs from the store |",
        "|---|---|---|---|---|",
    ]
    for name, seconds in found.items():
        ratios = np.array(seconds) / np.array(found["store"])
        low, high = np.percentile(ratios, [10, 90])
        times = "" if name == "store" else f"{np.median(ratios):.2f} ({low:.2f} to {high:.2f})"
        ms = 1000 * np.percentile(seconds, [50, 90])
        lines.append(f"| {name} | {ms[0]:.3f} | {ms[1]:.3f} | {times} | {different[name]:.1e} |")
    return lines


def _targets(found: dict[str, list[float]]) -> list[str]:
    """What was asked for, and whether it is so."""

    def times(slow: str, fast: str) -> float:
        return float(np.median(np.array(found[slow]) / np.array(found[fast])))

    targets = [
        ("seeking in FLAC takes at least 10 times as long", times("flac, seeking", "store"), 10.0, True),
        ("seeking in Ogg takes at least 25 times as long", times("ogg, seeking", "store"), 25.0, True),
        ("the store takes at most twice as long as a raw memory map", times("store", "raw memory map"), 2.0, False),
    ]
    lines = ["", "| target | measured | met |", "|---|---|---|"]
    for claim, value, limit, least in targets:
        met = value >= limit if least else value <= limit
        lines.append(f"| {claim} | {value:.2f} | {'yes' if met else 'no'} |")
    return lines


def _build_table(times: dict[str, list[float]], built: dict[tuple[str, int], float], files: int) -> list[str]:
    """Seconds to build, and the epoch of one crop a recording after which that has paid."""
    lines = [
        "",
        "| store built from | 1 worker, s | 2 workers, s | pays after, against seeking | against whole files |",
        "|---|---|---|---|---|",
    ]
    for kind in KINDS:
        build_s = built[kind, 1]
        gains = [
            files * (median(times[f"{kind}, {reading}"]) - median(times["store"]))
            for reading in ("seeking", "whole file")
        ]
        epochs = [f"{build_s / gain:.1f} epochs" if gain > 0 else "never" for gain in gains]
        two = f"{built[kind, 2]:.2f}" if (kind, 2) in built else "–"
        lines.append(f"| {kind} | {build_s:.2f} | {two} | {epochs[0]} | {epochs[1]} |")
    return lines


if __name__ == "__main__":
    main()
