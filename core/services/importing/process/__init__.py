"""Where the rows of a file are parsed and prepared: in this process, or in a child process that can be killed."""
