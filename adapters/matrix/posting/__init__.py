"""Posts of ours on Matrix: brought, changed, taken away, each once, with names and faces. It hears nothing."""
