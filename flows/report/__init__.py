"""The page of a night: facts from marts and lake, the verdict in words, pictures, and where they are put."""
