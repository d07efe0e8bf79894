"""Customer communication management: one versioned message, every channel, proved and sent together.

    workspace, diagnostics = load_workspace(folder)             # load
    for decided in plan(recipients, brief): ...                 # plan
        composed = composer.compose(communication)              # compose
        findings = check(composed, rules)                       # check
        receipt = adapter.deliver(envelope)                     # deliver
        ref = archive.put(content, media_type)                  # archive
    report = reconcile(ledger.tally(run_id))                    # reconcile

`ccm.run.run_campaign` wires the phases; `docs/architecture.md` is the map of the house.
"""

__version__ = "0.1.0"
