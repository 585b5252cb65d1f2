"""The names of the project file, of the local file next to it, and of the variable of the data root.

Nothing is imported here.
"""

PROJECT_FILE = "ossicle.toml"
LOCAL_FILE = "ossicle.local.toml"
DATA_ROOT_VARIABLE = "OSSICLE_DATA_ROOT"
