"""The thin transactional shell: load, decide, write, record."""
