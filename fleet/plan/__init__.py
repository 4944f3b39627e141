"""The decision, judged: what follows from it, what it costs, what breaks it, and which rules it keeps."""
