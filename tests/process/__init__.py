"""The command `asst` in a process of its own, started by a fork (`command`) from a process that has its imports (`preloaded`)."""
