"""The register of proxies: what stands for quality, what would show that it does not, and its alarm."""
