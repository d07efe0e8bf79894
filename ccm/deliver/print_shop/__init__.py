"""Letters for a print shop: a spool of accepted documents, then batches with marks and a manifest.

    envelope ─▶ adapter.py ─▶ spool.py           one PDF and one sealed note for each accepted piece
    spool ─▶ examining.py ─▶ envelopes.py        which are fit to print; households, inserts, order      (pure)
          ─▶ closing.py                          the decision, written once; the same command finishes it
          ─▶ sheets.py, marks.py, mark_reading.py, manifest.py    PDF, marks read back, manifest
          ─▶ drop.py, sftp.py                    to the print shop

docs/printing.md tells how to use it.
"""
