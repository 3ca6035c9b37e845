"""Broken deliveries, made by mutating good ones: every source, every column, every way to be wrong.

``good`` cuts a small good delivery from each source's sample; ``mutations`` breaks it. A mutation
says by its own rule what must come of it, never by what the load was seen to do.
"""
