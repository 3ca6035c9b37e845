"""What orchestration costs over bare DuckDB: ``make bench``.

``archive`` makes a national-size archive in the publisher's layout, ``ours`` takes it from the
landing zone to the marts as a refresh does, ``bare`` computes the same monthly marts with DuckDB
alone. Figures are ratios within one run on one machine.
"""
