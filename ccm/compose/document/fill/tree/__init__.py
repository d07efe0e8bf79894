"""The tree of a page: elements and texts as its source says them."""
