"""Every dialect, in the order in which they are asked; each has a file of its own."""

from __future__ import annotations

from .anthropic import Anthropic
from .bedrock import Bedrock
from .dialect import Dialect, Opening
from .gemini import Gemini
from .graphql import GraphQL
from .json_rpc import JsonRpc, Mcp
from .mqtt import Mqtt
from .ollama import Ollama
from .openai_chat import OpenAIChat
from .openai_responses import OpenAIResponses
from .signalr import SignalR
from .socket_io import SocketIO
from .stomp import Stomp
from .vercel import VercelEvents, VercelLines

DIALECTS: tuple[type[Dialect], ...] = (
    *(OpenAIChat, OpenAIResponses, Anthropic, Gemini, Ollama, Bedrock),
    *(VercelEvents, VercelLines, Mcp, JsonRpc),
    *(GraphQL, SocketIO, SignalR, Stomp, Mqtt),
)
UNTOLD = tuple(one for one in DIALECTS if not one.telling)
"""Those that no member of an object tells."""
TELLING = frozenset().union(*(one.telling for one in DIALECTS))
"""Members that tell any of the others."""


def spoken_in(opening: Opening) -> type[Dialect] | None:
    """Return the dialect that an element shows, None if it shows none.

    Nearly all are told by members of an object: who has none of a dialect's is not asked about.
    """
    members, is_array = opening.members.keys(), opening.is_array
    for one in UNTOLD if not is_array and TELLING.isdisjoint(members) else DIALECTS:
        may_be = not one.telling or is_array or not one.telling.isdisjoint(members)
        if may_be and one.is_spoken(opening):
            return one
    return None
