"""Customer Success Warehouse: the orchestration of a batch ELT pipeline. The SQL lives in models/, the rules in seeds/."""
