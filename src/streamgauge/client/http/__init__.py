"""HTTP/1.1 as a client speaks it: requests, redirects, cookies and kept connections."""
