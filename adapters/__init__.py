"""What touches the world: the page, the terminal, the model, the configuration. `bot` never imports from here."""

__version__ = "0.1.0"
