"""What may stand in the parameters: all of them, a CSV's columns, and what is wrong in words."""
