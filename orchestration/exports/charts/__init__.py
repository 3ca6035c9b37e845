"""Charts as SVG and PNG, and the text beside them."""
