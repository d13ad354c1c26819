"""The demo company: a simulated B2B software vendor with a truth, a mess, and the systems that show the mess."""
