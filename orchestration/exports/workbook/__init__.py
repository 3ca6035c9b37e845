"""The workbook: one table a sheet, the same bytes for the same content."""
