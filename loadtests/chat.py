"""Chat: each user holds one conversation with a language model after another; every turn is a stream.

The options ``--chat-…`` name the model, the form of the API and the prompts; their defaults fit the sample app.
"""

from locust import task

from streamgauge.load.chat import ChatUser


class Chatter(ChatUser):
    """Asks ``/v1/chat/completions``, or another API that ``--chat-api`` names."""

    @task
    def talk(self) -> None:
        conversation = self.begin()
        while conversation.goes_on:
            self.think(conversation)
            self.ask(conversation)
