"""Configuration: settings, quarters, and the files that a person edits.

What belongs here: what is read from the environment (``settings``), the partnerships served
(``partnerships``), and the quarters that everything is named by (``quarters``). Nothing here knows
a source, a model or a release.
"""
