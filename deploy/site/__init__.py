"""The documents as a small site."""
