"""Reading a stream: when to read, what chunks a read brings, and when they arrived."""
