"""Videos by V-JEPA 2; what is said about them by SigLIP 2."""
