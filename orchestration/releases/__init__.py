"""The releases on disk: which exist, which is current, and how a published file is opened."""
