"""What happens in the rooms that the bot is in, in order and without a loss. It decides nothing about stories."""
