"""How a text becomes public; both apps use this.

transitions.py the moves and their verbs; permissions.py who may; versions.py copies and hashes of versions.
bibliography.py adds sources without doubling one.
"""
