"""Figures and one self-contained HTML page per run; the only place that knows matplotlib and Jinja2."""
