"""The steps of a project. Each step is a function that loads what earlier steps left, calls one package, and saves."""
