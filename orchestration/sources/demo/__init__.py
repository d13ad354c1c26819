"""The demo company: a simulated B2B software vendor with a truth, a mess, and the systems that show the mess."""

from orchestration.sources.demo.company import DemoCompany, generate_to_files

__all__ = ["DemoCompany", "generate_to_files"]
