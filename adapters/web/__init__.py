"""The local web page: a forum thread for one place of its own platform. It knows the bot's walls and the door of its walk."""
