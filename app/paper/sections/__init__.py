"""Sections of papers: the record of a version in, parts of the neutral document out."""
