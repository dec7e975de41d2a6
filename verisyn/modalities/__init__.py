"""SHELF what data can be, and every way to make it: one folder a modality, one file a generator."""
