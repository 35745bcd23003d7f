"""Conversations with language models: prompts from files or made to a length, and turns that carry the history.

Importing this package adds the options ``--chat-…`` to ``locust``.
"""

from streamgauge.load.chat.chat_conversation import Conversation
from streamgauge.load.chat.chat_user import ChatUser

__all__ = ["ChatUser", "Conversation"]
