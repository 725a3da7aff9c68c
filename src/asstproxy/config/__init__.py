"""What the user has set: profiles, keys, and where they are kept."""
