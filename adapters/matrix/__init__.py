"""Matrix: rooms and threads as places, encrypted ones too. It decides nothing about stories."""
