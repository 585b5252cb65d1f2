"""One class for each step's artefact: it alone names the files in it, and reads and writes them.

Steps, pages, commands and benchmarks ask these classes and spell no file name of another step. Values are those of
``ossicle.core`` and polars frames; where a file holds a value of a higher package (an index, a second stage), the class
names the file and the reader of that package takes the class.
"""
