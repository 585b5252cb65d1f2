from ossicle.evaluation.units.hold_outs import hold_outs


def test_each_of_few_groups_is_held_out_alone():
    assert hold_outs({"bob": 1, "ada": 9}, most=10) == {"ada": frozenset({"ada"}), "bob": frozenset({"bob"})}


def test_many_groups_are_held_out_once_in_folds_of_similar_size():
    frames = {f"g{number:03d}": number for number in range(1, 101)}
    folds = hold_outs(frames, most=10)
    assert len(folds) == 10
    assert sorted(group for groups in folds.values() for group in groups) == sorted(frames)
    sizes = [sum(frames[group] for group in groups) for groups in folds.values()]
    assert max(sizes) - min(sizes) <= 20


def test_one_group_cannot_be_held_out():
    assert hold_outs({"ada": 5}, most=10) == hold_outs({}, most=10) == {}


def test_groups_without_frames_do_not_share_a_fold_while_others_are_empty():
    assert all(hold_outs(dict.fromkeys("abcdef", 0), most=3).values())
