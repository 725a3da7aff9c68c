"""A session in other forms: Markdown, Mermaid, and one HTML page that needs nothing else."""
