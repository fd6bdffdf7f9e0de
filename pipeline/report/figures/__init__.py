"""The figures of one meta-analysis: plain numbers in, an SVG or PNG out, the same bytes each time.

A folder of its own, beside the report's forest plot: ten figures share a chart (`chart.py`), its
scales (`scale.py`) and what they return (`drawing.py`), of which the report itself uses nothing.
"""
