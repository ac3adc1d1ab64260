"""How one model is shared among many sessions: sequences, slots, the loop and its thread. There is no model in here."""
