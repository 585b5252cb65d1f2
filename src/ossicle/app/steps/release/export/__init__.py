"""``ossicle export``: the bundle of a project in further precisions, with the loss and speed of each.

This is outside the chain: no step reads the result. ``graphs`` makes the graphs, ``int8_ranges`` draws the sound that
calibrates int8, ``held_out`` evaluates every precision with the models of the folds, ``run`` does all this and
measures speeds, and ``output_bundle`` writes the folder.
"""
