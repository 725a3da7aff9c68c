"""Tools that ship with asstproxy, and the way to those of MCP servers. Nothing here is imported before it is used."""
