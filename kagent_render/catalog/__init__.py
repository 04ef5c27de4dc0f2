"""What the product knows how to grant and compose: one variant a file, listed in explicit registries."""
