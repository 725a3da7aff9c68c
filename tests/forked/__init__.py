"""The command `asst` in a process of its own: a fork (`asst_command`) of a process that has its imports (`preloaded`)."""
