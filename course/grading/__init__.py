"""Grading that can be trusted: answers run where they reach nothing, and are compared where they cannot be."""
