"""The door to llama.cpp: the one place that imports its library and numpy."""
