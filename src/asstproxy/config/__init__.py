"""The user's settings: profiles, keys, and the folders that hold them."""
