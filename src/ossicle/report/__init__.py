"""Figures and one self-contained HTML page per run; the only package that uses matplotlib and Jinja2."""
