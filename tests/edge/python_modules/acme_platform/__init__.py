"""What a company would install in its runtime image."""
