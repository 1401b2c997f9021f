"""How results are shown: in the terminal, as a page, as files for other tools. Reports only read verdicts."""
