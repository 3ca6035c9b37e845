"""A new source's folder, written from templates."""
