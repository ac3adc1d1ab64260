"""The story: characters, personas, turns and their variants, as values and pure functions over them."""
