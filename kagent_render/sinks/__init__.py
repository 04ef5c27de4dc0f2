"""Where manifests go."""
