"""Hits that sound at once, as one clip with several labels, for the multi-label figures."""

import numpy as np

from ossicle.evaluation.clips.judged_clips import JudgedClips
from ossicle.metrics.clip_answers.multi_label import MultiLabelItems

SIMULTANEOUS_S = 0.03
"""Hits at most this long after the first of them are one clip. The same for every project, however it was trained."""


def merged_clips(judged: JudgedClips, within_s: float = SIMULTANEOUS_S) -> MultiLabelItems:
    """Return the clips with all labels that start within ``within_s`` seconds of the first; its scores stand for them.

    Parameters
    ----------
    judged
        The clips, one for each hit, by recording and onset.
    within_s
        Longest time after the first hit.
    """
    clips = judged.clips
    first, group = 0, np.zeros(len(clips), dtype=np.int64)
    starts = []
    recording, onset_s = clips.recording.tolist(), clips.onset_s.tolist()
    for row in range(len(clips)):
        # Rounding of times in a table must not divide hits exactly `within_s` apart.
        is_separate = recording[row] != recording[first] or onset_s[row] - onset_s[first] > within_s + 1e-9
        if row == 0 or is_separate:
            first = row
            starts.append(row)
        group[row] = len(starts) - 1
    rows = np.array(starts, dtype=np.int64)
    targets = np.zeros((len(rows), len(clips.labels)), dtype=np.bool_)
    targets[group, clips.label] = True
    return MultiLabelItems(judged.scores[rows], targets, judged.known[rows], judged.folds[rows], clips.recording[rows])
