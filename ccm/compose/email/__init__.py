"""Emails: captured once per structure, filled for each customer, wrapped as MIME."""
