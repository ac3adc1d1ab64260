"""The walls: what the bot needs of its neighbours, one file each, contract in prose. Nothing here does anything."""
