"""metafor's numbers beside ours."""
