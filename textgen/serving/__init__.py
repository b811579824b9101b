"""A server over generation: an HTTP interface in OpenAI's dialect of completions, and a page."""
