"""What a peer can do wrong on the wire."""


class ProtocolError(Exception):
    """The peer sent what no reading of the standard allows, or more than a limit."""
