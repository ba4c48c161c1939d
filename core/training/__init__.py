"""The DPO engine: torch, transformers, peft. Knows domain types and files, no database, no thread, no Qt."""
