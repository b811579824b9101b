"""Quality of written text: its variety, its words, and how much of it is copied from the training text."""
