"""A real homeserver for tests, people who use it, and a proxy that breaks things on the way to it."""
