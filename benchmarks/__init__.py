"""What is timed: one script a question, what it compares in one run.

A script has `measure() -> list[Timing]`; its docstring's first line is the question, and the first
timing is what the others are compared with. `python build.py bench [NAME ...]` runs them, each in
a fresh process: those named `blender_*` inside Blender's Python, the others with the backend's.
"""
