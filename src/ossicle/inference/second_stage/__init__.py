"""A second stage: trees that judge events again from how they sound."""
