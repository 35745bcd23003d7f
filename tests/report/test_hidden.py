"""What opens doors is hidden in the texts that a result shows."""

import pytest

from streamgauge.report.hidden import without_secrets


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer x", "Authorization: …"),
        ("X-Api-Key: x", "X-Api-Key: …"),
        ("/v1/events?token=x&list=1", "/v1/events?token=…&list=1"),
        ("https://a/b?list=1&api_key=x#c", "https://a/b?list=1&api_key=…#c"),
        ("user=me&password=x", "user=me&password=…"),
        ("http://u:p@proxy:3128", "http://…@proxy:3128"),
        ('{"api_key": "x", "max_tokens": 5}', '{"api_key": "…", "max_tokens": 5}'),
    ],
)
def test_secrets_are_hidden(text, shown):
    assert without_secrets(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        *("Accept: text/event-stream", "/v1/events?max_tokens=5", "tokens==5", "http://proxy:3128", "time=x"),
        *('{"max_tokens": 5}', "ramp:from=1,to=5", "https://token.example/x"),
    ],
)
def test_other_texts_stay_as_they_are(text):
    assert without_secrets(text) == text
