"""Exchanges that are stopped, at every moment there is: over the real providers, and in the terminal."""
