"""The rules that come with the program: one file each."""
