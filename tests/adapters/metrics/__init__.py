"""What operators see: figures, state, troubles."""
