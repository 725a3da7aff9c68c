"""The script engine: script, events, mediator, conversation. It knows nothing of screens, files and providers."""
