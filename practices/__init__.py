"""What teachers do with it: didactic practices, their evidence ratings and the pages that compare them.

ratings.py   from effect sizes to months, and which figure a page shows (no Django)
plots.py     where points and intervals stand on the axis (no Django)
facets.py    the index behind the overview: bitmaps of terms and stored orders
filters.py   the overview's filters
models/ views/ templatetags/ admin/
"""
