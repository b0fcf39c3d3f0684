"""The one exception that a user's mistake raises."""


class BadInput(ValueError):
    """A setting, file or batch that cannot be used; the message is one line saying what, where, and what to do.

    The command line prints it and exits with code 2; Python callers can catch it as a `ValueError`.
    """

    def __init__(self, message: str = ""):
        super().__init__(" ".join(message.splitlines()))  # a file's name may hold line breaks
