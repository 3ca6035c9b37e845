"""From raw tables to marts and reports: runs the dbt project, which holds every domain rule."""
