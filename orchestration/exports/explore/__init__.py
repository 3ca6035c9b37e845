"""``explore.html``: a partnership's published figures to choose from, draw, compare and save."""
