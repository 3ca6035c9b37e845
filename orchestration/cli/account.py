"""Who runs a command, for what is recorded of it."""

import getpass


def account_name() -> str:
    """Return the name of the account; empty where the system has none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
