"""The JSON Schema of the RuntimeConfig, generated from `kagent_runtime.model` and committed."""
