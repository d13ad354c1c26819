"""The steps of a run, one module per room: raw, warehouse (the dbt rooms), gates, publication."""
