"""Our own server among those that are compared: `understudy engine`, and the bot's client of it."""
