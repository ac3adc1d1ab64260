"""Discord: a courier, ears, and forms for the commands. The only room that knows discord.py."""
