"""Motifs in unit sequences: planted ones found again, shuffled controls, speed, and what they tell about digits.

40 motifs of 3 to 6 units are planted 20 to 600 times each among random units, with 5 % of their units replaced and
repeats that vary by one frame. A motif is found if its units lie in a row in a token. The control has the same runs in
random order. Beside it, the same vocabulary without the comparison with chance, which is plain byte pair encoding, and
sentencepiece. The last part runs a project on spoken digits, and compares the mutual information of motif and digit
with that of digits shuffled within each speaker.

    .venv/bin/python benchmarks/bench_motifs.py [--frames 60000 200000 400000] [--seeds 0 1 2] [--units 8000000]
"""

import argparse
import io
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import sentencepiece
from commands import ossicle
from machine import RESULTS, described, table, write_result
from numpy.typing import NDArray
from planted_motifs import N_UNITS, planted, precision, recall
from smoke import parsed, recordings, require

from ossicle.app.project.load import load_project
from ossicle.app.steps.acoustic_units.motifs import FALSE_PAIRS
from ossicle.app.steps.engine.step import find_steps
from ossicle.app.steps.pipeline.pipelines import steps_of
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.units.motifs import MotifsFolder
from ossicle.artefacts.typed.units.sequences import SequencesFolder
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.units.bpe.learning import LearnedMerges, learn_merges
from ossicle.units.motif_settings import MotifSettings
from ossicle.units.sequences import runs_of

SETTINGS = MotifSettings()
SHUFFLES = 200


def learned(sequences: list[NDArray[np.int16]], vocabulary: int, chance: bool = True) -> LearnedMerges:
    if not chance:
        return learn_merges(sequences, N_UNITS, vocabulary)
    return learn_merges(sequences, N_UNITS, vocabulary, SETTINGS.min_count, FALSE_PAIRS)


def planted_rows(n_frames: int, seed: int, vocabulary: int) -> list[tuple[str, ...]]:
    """Rows of the table: our vocabulary and plain byte pair encoding, each with its shuffled control."""
    corpus = planted(n_frames, seed)
    runs = corpus.runs()
    sequences = [run.units for run in runs]
    control = [run.units for run in corpus.shuffled(seed)]
    rows = []
    for name, chance in (("motifs", True), ("plain BPE", False)):
        merges, random = learned(sequences, vocabulary, chance), learned(control, vocabulary, chance)
        lossless = all((merges.merges.decode(a) == b).all() for a, b in zip(merges.tokens, sequences, strict=True))
        require(lossless, "decode(encode(x)) = x on every segment")
        require(len(merges.tokens) == len(sequences), "segments of 120 s are kept")
        right = precision(corpus, runs, merges)
        long, left = (int((learned_merges.merges.lengths >= 3).sum()) for learned_merges in (merges, random))
        fall = f"{1 - left / long:.0%}" if long else "-"
        shares = (f"{share:.0%}" for share in (recall(corpus, merges), right.overlaps, right.mostly, right.inside))
        counts = (str(len(merges.merges.pairs)), str(right.tokens))
        rows.append((f"{n_frames:,}", str(seed), name, *shares, *counts, str(long), str(left), fall))
    return rows


def sentencepiece_tokens(sequences: list[NDArray[np.int16]], vocabulary: int) -> tuple[int, float]:
    """Tokens of the corpus by sentencepiece, and seconds of CPU to train it. ``<unk>`` takes a place."""
    letters = [chr(0xE000 + unit) for unit in range(N_UNITS)]
    lines = ["".join(letters[unit] for unit in sequence) for sequence in sequences]
    model, began = io.BytesIO(), time.process_time()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=model, model_type="bpe", vocab_size=vocabulary + 1,
        character_coverage=1.0, normalization_rule_name="identity", add_dummy_prefix=False,
        remove_extra_whitespaces=False, split_by_whitespace=False, split_by_unicode_script=False, split_by_number=False,
        max_sentence_length=1 << 24, max_sentencepiece_length=32, bos_id=-1, eos_id=-1, minloglevel=2, num_threads=1,
    )  # fmt: skip
    spent = time.process_time() - began
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    return sum(len(processor.encode(line)) for line in lines), spent


def reference_corpora(count: int) -> int:
    """How many of random corpora have the merges of a slow reference."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "units" / "bpe"))
    from slow_bpe import slow_merges

    equal = 0
    for seed in range(count):
        rng = np.random.default_rng(seed)
        n_units = int(rng.integers(2, 12))
        rows = [runs_of(rng.integers(0, n_units, rng.integers(0, 80))).units for _ in range(12)]
        pairs = learn_merges(rows, n_units, n_units + 30).merges.pairs
        equal += list(pairs) == slow_merges([row.tolist() for row in rows], n_units, n_units + 30, 2)
    return equal


def fast_rows(n_units: int, vocabulary: int) -> list[tuple[str, str, str]]:
    """Rows of the table: CPU seconds and tokens on a large corpus."""
    corpus = planted(2 * n_units, 0)
    sequences = [run.units for run in corpus.runs()]
    rows = []
    for name, chance in (("motifs", True), ("plain BPE", False)):
        began = time.process_time()
        learned_merges = learned(sequences, vocabulary, chance)
        rows.append((name, f"{time.process_time() - began:.1f}", f"{sum(map(len, learned_merges.tokens)):,}"))
    tokens, spent = sentencepiece_tokens(sequences, vocabulary)
    rows.append((f"sentencepiece {sentencepiece.__version__}", f"{spent:.1f}", f"{tokens:,}"))
    return rows


def mutual_information(labels: NDArray[np.int64], counts: NDArray[np.float64]) -> float:
    """Mutual information in bits of the label of a segment and a token in it; counts (segments, tokens)."""
    joint = np.eye(labels.max() + 1)[labels].T @ counts
    joint /= joint.sum()
    chance = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    positive = joint > 0
    return float((joint[positive] * np.log2(joint[positive] / chance[positive])).sum())


def digits(args: argparse.Namespace) -> tuple[float, NDArray[np.float64], dict[str, Any]] | None:
    """Mutual information of motif and digit, those of shuffled digits, and the summary of the step."""
    audio = recordings("spoken_digits", args)
    if audio is None:
        return None
    with tempfile.TemporaryDirectory() as work:
        names = ("--group", "speaker", "--name-template", "{digit}_{speaker}_{take}")
        ossicle("new", "units", work, "--audio", audio, *names)
        ossicle("run", "-p", work, "--until", "motifs", "--progress", "none", *args.options)
        project = load_project(Path(work), tuple(args.options[1::2]))
        artefacts = {name: path for name, path in find_steps(steps_of(project), project).items() if path is not None}
        folder, sequences = MotifsFolder.among(artefacts), SequencesFolder.among(artefacts)
        stems = {
            recording.id: Path(recording.path).stem
            for recording in read_index(CorpusFolder.among(artefacts)).recordings
        }
        name_parts = [stems[recording_id].split("_") for recording_id in sequences.table["recording_id"]]
        labels, speakers = np.array([int(part[0]) for part in name_parts]), np.array([part[1] for part in name_parts])
        counts = np.zeros((len(labels), folder.summary["reached"]))
        for row, tokens in zip(counts, folder.tokens["tokens"].to_list(), strict=True):
            np.add.at(row, tokens, 1)
        motifs, rng = counts[:, folder.summary["n_units"] :], np.random.default_rng(0)
        shuffled = []
        for _ in range(SHUFFLES):
            drawn = labels.copy()
            for speaker in np.unique(speakers):
                drawn[speakers == speaker] = rng.permutation(drawn[speakers == speaker])
            shuffled.append(mutual_information(drawn, motifs))
        return mutual_information(labels, motifs), np.array(shuffled), folder.summary


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, nargs="+", default=[60_000, 200_000, 400_000])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--units", type=int, default=8_000_000, help="size of the corpus for speed")
    parser.add_argument("--vocabulary", type=int, default=SETTINGS.vocabulary)
    parser.add_argument("--corpora", type=int, default=50)
    parser.add_argument("--options", nargs="*", default=[], help="options of the project on digits")
    parser.add_argument("--out", type=Path, default=RESULTS)
    tiny = {"frames": [20_000], "seeds": [0], "units": 20_000, "vocabulary": 130, "corpora": 3}
    args = parsed(parser, **tiny, options=["--set", "quantiser.k=8", "--set", "motifs.min_count=2"])
    rows = [row for n in args.frames for seed in args.seeds for row in planted_rows(n, seed, args.vocabulary)]
    sections = [
        table(
            ("frames", "seed", "vocabulary", "recall", "overlap a motif", "most uses do", "most lie inside",
             "merges", "used 20 times", "of 3 or more units", "shuffled", "fall"),
            rows,
        )
    ]  # fmt: skip
    equal = reference_corpora(args.corpora)
    sections.append(f"Merges equal to a slow reference: {equal} of {args.corpora} random corpora.")
    fast = fast_rows(args.units, args.vocabulary)
    sections += [f"About {args.units:,} units, {args.vocabulary} tokens:", table(("", "CPU s", "tokens"), fast)]
    digit_figures = digits(args)
    if digit_figures is not None:
        value, shuffled, summary = digit_figures
        sections.append(
            f"Spoken digits, {summary['segments']} segments: {summary['motifs']} motifs ({summary['reached']} of "
            f"{summary['asked']} tokens: {summary['reason'] or 'as many as asked'}). Mutual information of motif and "
            f"digit {value:.3f} bits; {SHUFFLES} shuffles: 99th percentile {np.percentile(shuffled, 99):.3f}, largest "
            f"{shuffled.max():.3f}."
        )
    if args.smoke:
        print("\n\n".join(sections))
        return
    text = f"# Motifs in unit sequences\n\n{described(('numpy', 'sentencepiece'))}\n\n" + "\n\n".join(sections) + "\n"
    write_result("motifs", text, args.out)


if __name__ == "__main__":
    main()
