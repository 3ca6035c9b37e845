"""From the landing zone to raw tables: find deliveries, check them, load them, say who is in force.

``sources/`` holds one folder a source. Nothing here knows any source by name.
"""
