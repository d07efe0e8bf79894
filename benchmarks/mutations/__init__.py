"""The proof of the fact proof: seeded single mistakes in composed output, each of which must be found."""
