"""Posts of ours on Discord: brought, changed, taken away, each once, with names and faces. It hears nothing."""
