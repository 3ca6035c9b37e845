"""Feeds: fetch the public sources from their publishers and hand them to the landing zone.

Here belong the client, what is known of each publisher, and what was fetched last. A fetched file
is a delivery like any other: ``ingest.landing.handover`` puts it into the landing zone.
"""
