"""Formats: numbers, money, dates, addresses and salutations, as each locale writes them."""
