"""The game engine: what players, turns and states are, and the pure step that plays them.

`game` holds the types, `step` the step, `dynamics` what replaces plain gradient play, `parallel` the compositions.
May import `errors` only.
"""
