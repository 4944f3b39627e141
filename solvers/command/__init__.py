"""The ``fleet`` command: thin handlers over the library. What they print is rendered in `fleet.exchange.console`."""
