"""OpenAPI documents to Tools of type http: one for each operation, and a word for all that cannot be one."""
