"""The engine against real data: every sum in the text of the composed output equals an independent oracle.

`python -m benchmarks.oracle` builds a workspace under out/oracle, takes it through load, plan and compose, and reads
the amounts back out of emails, text messages and PDFs with its own parser.
"""
