"""Tables as files, and the descriptions that travel with them."""
