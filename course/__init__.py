"""The instructor's commands: build, refresh and release the course."""
