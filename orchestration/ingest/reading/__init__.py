"""Readers of delivered files: CSV, workbooks, archives, and the types of their cells."""
