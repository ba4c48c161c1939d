"""The model that is trained: loading, adapters, device, stored weights and provenance."""
