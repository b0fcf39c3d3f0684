"""The engine: games (`game`), the step that plays them (`step`), dynamics, and `parallel` compositions of the step.

May import `priors` and `errors`.
"""
