"""The version of Fleet: the one place that states it; package metadata and plans read it from here."""

__version__ = "0.2.0"
