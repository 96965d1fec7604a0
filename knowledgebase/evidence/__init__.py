"""Effect sizes and meta-analysis: numbers in, numbers out, no Django. The entry point is `analyse` in analysis.py.

numpy and scipy take a fifth of a second to import, so nothing here is imported when the site starts.
"""
