"""What a run leaves behind: result.json and the reports that are made from it."""
