"""Files of arrays: named arrays, score tracks in blocks, and the header of ``.npy`` files."""
