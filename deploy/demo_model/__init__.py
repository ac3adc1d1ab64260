"""The recipe of the demo model: public-domain novels in, a small real GGUF out."""
