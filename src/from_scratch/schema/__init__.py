"""The types of all parameters, and the checks that report wrong ones."""
