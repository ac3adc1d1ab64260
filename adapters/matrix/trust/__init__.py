"""The account of the bot and the trust in it: logging in, vouching for its device, and telling how all that stands."""
