"""OpenAI's Responses API, and every server that speaks it."""
