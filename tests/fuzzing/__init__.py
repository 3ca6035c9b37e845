"""Good files of every source, damaged without mercy: for tests that no file can stop a refresh."""
