"""kagent's own resources to our specs: what carries over is written, and what does not is named, field by field."""
