import io

import numpy as np
import pytest
import sentencepiece
from numpy.typing import NDArray
from tests.units.bpe.slow_bpe import slow_merges, slow_tokens

from ossicle.core.errors import UsageError
from ossicle.units.bpe.learning import learn_merges
from ossicle.units.sequences import runs_of

Sequences = list[NDArray[np.int16]]


def corpus(seed: int, n_units: int, n: int, longest: int) -> Sequences:
    """Return sequences of few units, in which pairs overlap and counts are often equal."""
    rng = np.random.default_rng(seed)
    return [runs_of(rng.integers(0, n_units, rng.integers(0, longest))).units for _ in range(n)]


@pytest.mark.parametrize("seed", range(50))
def test_merges_and_tokens_equal_those_of_a_slow_reference(seed: int) -> None:
    n_units = 2 + seed % 7
    sequences = corpus(seed, n_units, 12, 60)
    vocabulary, min_count = n_units + 25, 1 + seed % 3
    learned_merges = learn_merges(sequences, n_units, vocabulary, min_count)
    assert list(learned_merges.merges.pairs) == slow_merges(
        [sequence.tolist() for sequence in sequences], n_units, vocabulary, min_count
    )
    slow = [slow_tokens(sequence.tolist(), n_units, learned_merges.merges.pairs) for sequence in sequences]
    assert [token.tolist() for token in learned_merges.tokens] == slow
    assert [one.tolist() for one in learned_merges.merges.encode(sequences)] == slow
    assert [learned_merges.merges.decode(one).tolist() for one in slow] == [sequence.tolist() for sequence in sequences]


@pytest.mark.parametrize("seed", range(3))
def test_there_are_as_many_tokens_as_sentencepiece_makes(seed: int) -> None:
    """Sentencepiece keeps 16 units a token at most, far more than tokens of such a corpus reach."""
    sequences = [one for one in corpus(seed, 30, 150, 120) if len(one)]
    learned_merges = learn_merges(sequences, 30, 149)
    letters = [chr(0xE000 + unit) for unit in range(30)]
    lines = ["".join(letters[unit] for unit in sequence) for sequence in sequences]
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=model,
        model_type="bpe",
        vocab_size=150,
        character_coverage=1.0,
        normalization_rule_name="identity",
        add_dummy_prefix=False,
        remove_extra_whitespaces=False,
        split_by_whitespace=False,
        split_by_unicode_script=False,
        split_by_number=False,
        bos_id=-1,
        eos_id=-1,
        minloglevel=2,
        num_threads=1,
    )
    theirs = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    assert sum(map(len, learned_merges.tokens)) == sum(len(theirs.encode(line)) for line in lines)
    pieces = {theirs.id_to_piece(i) for i in range(len(theirs))}
    assert {
        "".join(letters[unit] for unit in expansion) for expansion in learned_merges.merges.expansions
    } == pieces - {"<unk>"}


def test_motifs_cross_units_and_long_segments_are_kept() -> None:
    """Older scripts merged digits of numbers, never units, and skipped segments of 120 s (6,000 frames)."""
    motif = [31, 87, 5, 60]
    rng = np.random.default_rng(0)
    long = np.concatenate([np.r_[rng.integers(0, 100, 6), motif] for _ in range(600)])
    learned_merges = learn_merges([runs_of(long).units], 100, 140, min_count=20, false_pairs=1.0)
    assert tuple(motif) in learned_merges.merges.expansions
    assert learned_merges.merges.decode(learned_merges.tokens[0]).tolist() == runs_of(long).units.tolist()


def test_shuffled_units_have_no_motifs() -> None:
    rng = np.random.default_rng(1)
    share = rng.dirichlet(np.full(40, 1.0))
    shuffled = [runs_of(rng.choice(40, 400, p=share)).units for _ in range(100)]
    learned_merges = learn_merges(shuffled, 40, 200, min_count=10, false_pairs=0.1)
    assert learned_merges.merges.pairs == ()
    assert learned_merges.reason == "the other pairs that occur 10 times or more are no more frequent than chance"
    # Without the comparison with chance, the vocabulary is filled.
    assert learn_merges(shuffled, 40, 200, min_count=10).merges.n_tokens == 200


def test_what_is_expected_by_chance_stands_beside_each_merge() -> None:
    motif = np.tile([0, 1, 2, 3, 2, 3, 1, 0, 3], 30)
    learned_merges = learn_merges([runs_of(motif).units], 4, 9, false_pairs=1.0)
    assert all(0 < chance < count for chance, count in zip(learned_merges.expected, learned_merges.counts, strict=True))


def test_a_vocabulary_that_the_data_do_not_fill_says_why() -> None:
    learned_merges = learn_merges([np.array([0, 1, 2, 0, 1])], 3, 10)
    assert (learned_merges.asked, learned_merges.merges.n_tokens) == (10, 4)
    assert learned_merges.reason == "no other pair of tokens occurs 2 times or more"
    assert learn_merges([np.array([0, 1, 2, 0, 1])], 3, 4).reason == ""


def test_empty_segments_and_no_segments_have_no_motifs() -> None:
    assert [len(token) for token in learn_merges([np.array([], np.int16)] * 2, 3, 10).tokens] == [0, 0]
    assert learn_merges([], 3, 10, false_pairs=1.0).tokens == []


@pytest.mark.parametrize("vocabulary", [99, 5000])
def test_a_vocabulary_holds_the_units_and_fits_the_memory(vocabulary: int) -> None:
    with pytest.raises(UsageError, match=f"vocabulary of {vocabulary} tokens"):
        learn_merges([], 100, vocabulary)


def test_what_is_no_unit_is_refused() -> None:
    with pytest.raises(ValueError, match="there are 3"):
        learn_merges([np.array([0, 3])], 3, 10)
