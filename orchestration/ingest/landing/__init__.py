"""The landing zone: what suppliers handed over, with receipts, and when it is expected."""
