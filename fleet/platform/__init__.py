"""What a cluster can do: resiliency, quorum, capacity, archetypes, sizing."""
