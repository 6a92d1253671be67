"""Speed and bytes as ratios in one run: pages over HTTP against a bare query of the same rows and an empty page."""
