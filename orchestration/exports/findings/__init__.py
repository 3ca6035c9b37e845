"""Key findings: sentences on the figures of a release, how firm each is, and which come first."""
