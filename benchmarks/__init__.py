"""Measurements that no test has the time for."""
