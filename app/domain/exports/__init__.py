"""The card in forms that other programs run: JSON, Python, SQL, PMML, and tables for people."""
