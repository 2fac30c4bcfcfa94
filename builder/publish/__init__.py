"""From the output folder to a host: what is sent, in which order, and why not."""
