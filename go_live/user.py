"""Who is at the keyboard, as the machine knows them."""

import getpass


def user_name() -> str:
    """The login name; empty where there is none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
