"""`python -m kagent_render` is the same as `kagent-render`."""

from kagent_render.cli import entry_point

if __name__ == "__main__":
    entry_point()
