"""What players can ask for: each command once, as data, and how a line of text becomes one. It carries nothing out."""
