"""How a plan is run: alerts to expect, initial copies to make, addresses to hand out."""
