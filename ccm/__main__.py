"""`python -m ccm` is the `ccm` command."""

from ccm.cli import main

main()
