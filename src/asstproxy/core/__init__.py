"""The core: script, events, mediator, conversation, journal. It knows no screen and no provider."""
