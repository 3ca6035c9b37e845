"""Names and texts as SQL writes them, for statements that take no parameters."""


def identifier(name: str) -> str:
    """Quote ``name`` for use as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def qualified(*names: str) -> str:
    """Quote and join the parts of a name, such as catalogue, schema and table."""
    return ".".join(identifier(name) for name in names)


def literal(text: str) -> str:
    """Quote ``text`` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"
