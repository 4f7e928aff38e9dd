"""Every dialect, in the order in which they are asked; each has a file of its own."""

from __future__ import annotations

from .anthropic import Anthropic
from .dialect import Dialect
from .gemini import Gemini
from .ollama import Ollama
from .openai_chat import OpenAIChat
from .openai_responses import OpenAIResponses

DIALECTS: tuple[type[Dialect], ...] = (
    OpenAIChat,
    OpenAIResponses,
    Anthropic,
    Gemini,
    Ollama,
)
