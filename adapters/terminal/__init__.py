"""A story in a shell: lines in, posts out. It knows the bot's walls and the door of its walk, and nothing of browsers."""
