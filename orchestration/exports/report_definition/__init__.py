"""What the report holds: its exhibits in order, the rows of each, and their layout."""
