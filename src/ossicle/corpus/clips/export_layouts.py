"""Names of the layouts of an exported dataset, which the command line shows without loading the export."""

LAYOUTS = ("plain", "animal-spot")
