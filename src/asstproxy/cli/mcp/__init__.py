"""`asst mcp`: saved MCP servers, and what desktop clients call them."""
