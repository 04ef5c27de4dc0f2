"""The web page: static files without a build step, served under a strict content security policy."""
