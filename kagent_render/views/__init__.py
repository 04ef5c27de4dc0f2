"""What a compilation means, for people: pure functions from objects and graphs to data, and from data to text."""
