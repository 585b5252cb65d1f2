"""``ossicle export``: the bundle of a project in further precisions, with what each costs and how fast it is.

Off the chain: nothing reads it again. ``graphs`` makes the graphs, ``ranges`` draws the sound that int8 is calibrated
on, ``held_out`` judges every precision by the models of the folds, ``speeds`` measures, ``written`` puts the folder
together.
"""
