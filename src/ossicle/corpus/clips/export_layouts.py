"""Names of the layouts of an exported dataset, which the command line shows without loading the export."""

LAYOUTS = ("plain", "animal-spot")

MOST_FANOUT = 4
"""Most digits of a clip's id that name its subfolder: 65,536 subfolders."""
