"""Events compared with annotations."""
