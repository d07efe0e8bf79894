"""Documents and cards: HTML and CSS laid out by WeasyPrint, guarded so that nothing is missing or clipped."""
