"""What happens when something breaks: the elements of a plan and the loss of each."""
