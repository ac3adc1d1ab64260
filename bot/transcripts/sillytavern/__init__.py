"""SillyTavern's chat files (JSON lines): read into turns, and written back with everything that they held."""
