"""Models on this machine: llama.cpp in a process of ours, or a local server."""
