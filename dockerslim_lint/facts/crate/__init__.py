"""Reading a crate's files out of the build context."""
