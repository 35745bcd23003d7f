"""The options that only ``StreamUser.play`` reads."""

#: Those that take a value, each with one; ``--stream-stamps`` takes none.
PLAY_ONLY = {
    "--stream-path": "/other",
    "--stream-method": "PUT",
    "--stream-body": "x",
    "--stream-send": "x",
    "--stream-end": "data:x",
    "--stream-accept": "a/b",
    "--stream-reconnect": "2",
}
#: All of them, as a command line has them.
GIVEN = (*(part for pair in PLAY_ONLY.items() for part in pair), "--stream-stamps")
