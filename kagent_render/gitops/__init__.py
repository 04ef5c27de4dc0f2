"""What Argo CD, Flux, kustomize and pre-commit ask for, as values: nothing here reads or writes a file."""
