"""Papers about a version: one neutral document, written as HTML, PDF and workbook."""
