"""The restricted warehouse as a database file: opened, locked, encrypted, backed up, searched.

What belongs here: the connection and the writer's lock (``connection``), file permissions,
encryption, SQL quoting, how a file is replaced in one step (``atomic_file``), the control tables
(``control_schema``), backup, retention, and provenance. No rule about crime or people belongs here.
"""
