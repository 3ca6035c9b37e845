"""Contracts, and the checks that they drive: rules, faults, coverage, anomalies, corrections."""
