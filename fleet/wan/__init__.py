"""What the network can do: graph, round-trip times, routes, failure states, connectivity and replication."""
