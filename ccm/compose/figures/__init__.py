"""Figures that templates draw: payment codes, barcodes and charts, as SVG and HTML."""
