"""Reports as one HTML file that opens offline: no script, nothing that loads, plots as inline SVG."""
