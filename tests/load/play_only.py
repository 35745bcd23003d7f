"""The options that only ``StreamUser.play`` reads."""

#: Those that take a value, each with one.
PLAY_ONLY = {
    "--stream-path": "/other",
    "--stream-protocol": "sse",
    "--stream-method": "PUT",
    "--stream-body": "x",
    "--stream-send": "x",
    "--stream-end": "data:x",
    "--stream-accept": "a/b",
    "--stream-reconnect": "2",
}
#: Those that take none.
SWITCHES = ("--stream-stamps", "--stream-include-usage")
#: All of them, as a command line has them.
GIVEN = (*(part for pair in PLAY_ONLY.items() for part in pair), *SWITCHES)
