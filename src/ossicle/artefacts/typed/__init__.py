"""One class for each step's artefact; only this class names, reads and writes the files in it.

Steps, pages, commands and benchmarks use these classes and contain no file name of another step. Values are those of
``ossicle.core`` and polars frames. If a file holds a value of a higher package (an index, a second stage), the class
names the file and the reader of that package takes the class.
"""
