"""Grading that can be trusted: answers run where they reach nothing, and are compared out of their reach."""
