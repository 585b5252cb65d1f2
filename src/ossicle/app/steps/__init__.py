"""The steps of a project: each loads what earlier steps left, calls one package, and saves. Functions, no classes."""
