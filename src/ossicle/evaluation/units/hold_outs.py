"""Which groups are held out together while units are judged."""

from collections.abc import Mapping

from ossicle.core.text.counting import counted


def hold_outs(frames_by_group: Mapping[str, int], most: int) -> dict[str, frozenset[str]]:
    """Return the groups that each fold holds out: each group once, alone if there are few enough.

    Parameters
    ----------
    frames_by_group
        Number of frames of each group.
    most
        Largest number of folds.

    Returns
    -------
    dict
        Groups by the name of the fold, which is that of its group if it has one group. With more than ``most``
        groups, the groups are dealt out from the largest to the smallest, each to the fold with the fewest frames.
        Empty with fewer than two groups: nothing would be left to train on.

    Examples
    --------
    >>> sorted(hold_outs({"ada": 10, "bob": 20}, most=10))
    ['ada', 'bob']
    >>> sorted(hold_outs({"a": 5, "b": 4, "c": 3, "d": 2}, most=2))
    ['fold 1 (2 groups)', 'fold 2 (2 groups)']
    """
    if len(frames_by_group) < 2:
        return {}
    folds: list[set[str]] = [set() for _ in range(min(most, len(frames_by_group)))]
    sizes = [0] * len(folds)
    for group in sorted(frames_by_group, key=lambda group: (-frames_by_group[group], group)):
        smallest = min(range(len(folds)), key=lambda fold: (sizes[fold], len(folds[fold]), fold))
        folds[smallest].add(group)
        sizes[smallest] += frames_by_group[group]
    if len(folds) == len(frames_by_group):
        return {group: frozenset({group}) for group in sorted(frames_by_group)}
    return {
        f"fold {number} ({counted(len(groups), 'group')})": frozenset(groups)
        for number, groups in enumerate(folds, start=1)
    }
