"""The pack: key findings, tables and charts as one HTML page and one Word document."""
